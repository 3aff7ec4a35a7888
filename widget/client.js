// Talks to the bot's web channel. The token of the conversation is kept in this browser until the chat is erased or
// expires.

/** @import { About, Kept, Message, Refusal, Reply, Session } from "./types.d.ts" */

const PATIENCE = 60_000;

/**
 * What went wrong: a code ("offline", "no_session", "too_many", ...), words for people where the bot sent some, and
 * seconds to wait.
 */
export class ClientError extends Error {
  /**
   * @param {string} code
   * @param {string} [words]
   * @param {number} [wait]
   */
  constructor(code, words = "", wait = 0) {
    super(words);
    this.code = code;
    this.wait = wait;
  }

  /**
   * What was thrown, as one of these. Any other error is a fault of the widget's, told to the console and not to the
   * visitor.
   *
   * @param {unknown} error
   */
  static of(error) {
    if (error instanceof ClientError) return error;
    console.error(error);
    return new ClientError("failed");
  }
}

/**
 * What a browser keeps for one bot, in "localStorage" or "sessionStorage"; in memory where the page may not keep
 * anything.
 */
export class Store {
  #kind;
  #prefix;
  #memory = new Map();

  /**
   * @param {"localStorage" | "sessionStorage"} kind
   * @param {string} address
   */
  constructor(kind, address) {
    this.#kind = kind;
    this.#prefix = `backtalk ${address} `;
  }

  /** @param {string} name */
  key(name) {
    return this.#prefix + name;
  }

  /**
   * @template {keyof Kept} Name
   * @param {Name} name
   * @returns {Kept[Name] | null}
   */
  get(name) {
    try {
      return this.#memory.get(name) ?? JSON.parse(window[this.#kind].getItem(this.key(name)) ?? "null");
    } catch {
      return null;
    }
  }

  /**
   * @template {keyof Kept} Name
   * @param {Name} name
   * @param {Kept[Name] | null} value
   */
  set(name, value) {
    this.#memory.delete(name);
    try {
      if (value === null) window[this.#kind].removeItem(this.key(name));
      else window[this.#kind].setItem(this.key(name), JSON.stringify(value));
    } catch {
      this.#memory.set(name, value);
    }
  }
}

/** One visitor's conversation with a bot. */
export class Client {
  #api;
  #store;

  /**
   * `api` is the address of the channel.
   *
   * @param {URL} api
   * @param {Store} store
   * @param {About} about
   */
  constructor(api, store, about) {
    this.#api = api;
    this.#store = store;
    this.about = about;
  }

  get session() {
    const session = this.#store.get("session");
    return session && session.expires * 1000 > Date.now() ? session : null;
  }

  /**
   * The session of the conversation: a new one where there is none, renewed with `renew`.
   *
   * @param {boolean} [renew]
   * @returns {Promise<Session>}
   */
  async open(renew) {
    const kept = this.session;
    if (kept && !renew) return kept;
    const session = await content(await this.#fetch("session", { method: "POST" }));
    this.#store.set("session", session);
    return session;
  }

  /** Forgets the conversation in this browser. */
  forget() {
    this.#store.set("session", null);
  }

  /**
   * The replies to a message, one by one. `id` names it, so that it can be sent `again` and is answered once.
   *
   * @param {string} id
   * @param {string} message
   * @param {boolean} again
   */
  async *send(id, message, again) {
    await this.open();
    const reply = await this.#fetch("messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...this.about, id, message, again }),
    });
    let count = 0;
    for await (const part of lines(reply)) {
      if (part.error) throw new ClientError(part.error, part.message);
      count += 1;
      yield part;
    }
    if (!count) throw new ClientError("offline");
  }

  /**
   * What was said so far, oldest first.
   *
   * @returns {Promise<Message[]>}
   */
  async history() {
    if (!this.session) return [];
    return (await content(await this.#fetch("history"))).messages;
  }

  /** Erases the conversation, here and on the server. */
  async erase() {
    if (this.session) await this.#fetch("conversation", { method: "DELETE" });
    this.forget();
  }

  /**
   * What the bot writes by itself, for as long as one request for it lasts.
   *
   * @param {AbortSignal} signal
   */
  async *events(signal) {
    yield* lines(await this.#fetch("events", {}, signal));
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @param {AbortSignal} [signal]
   */
  async #fetch(path, options, signal = AbortSignal.timeout(PATIENCE)) {
    const token = this.session?.token;
    let reply;
    try {
      reply = await fetch(new URL(path, this.#api), {
        ...options,
        headers: { ...options?.headers, ...(token && { Authorization: `Bearer ${token}` }) },
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal,
      });
    } catch {
      throw new ClientError("offline");
    }
    if (reply.ok) return reply;
    const { error, message } = await reply.json().catch(() => ({}));
    throw new ClientError(error ?? "failed", message, Number(reply.headers.get("Retry-After")) || 0);
  }
}

/**
 * What an answer holds. One that breaks off is as good as none.
 *
 * @param {Response} reply
 */
const content = (reply) =>
  reply.json().catch(() => {
    throw new ClientError("offline");
  });

/**
 * The objects of an answer that comes line by line.
 *
 * @param {Response} reply
 * @returns {AsyncGenerator<Reply & Partial<Refusal>>}
 */
async function* lines(reply) {
  if (!reply.body) throw new ClientError("offline");
  const reader = reply.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let isOver = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      isOver = done;
      // The last line ends like the others; without its end, the rest was lost.
      if (done && rest) throw new ClientError("offline");
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) if (part) yield Object(JSON.parse(part));
    }
  } catch (error) {
    throw error instanceof ClientError ? error : new ClientError("offline");
  } finally {
    if (!isOver) reader.cancel().catch(() => {});
  }
}
