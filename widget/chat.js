// <backtalk-chat>: a button in the corner of a page, and the chat that it opens.

import { answers } from "./answers.js";
import { Client, ClientError, Store } from "./client.js";
import { button, el, linked } from "./dom.js";
import { buildPanel } from "./panel.js";
import { calls, resultCard } from "./result.js";
import { summaryTools } from "./summary.js";

/** @import { Bubble, Card, Message, Outgoing, Parts, Reply, Strings, TelephoneNumber } from "./types.d.ts" */

const HERE = new URL(".", import.meta.url);
const API = new URL("api/", HERE);
const SMALL_SCREEN = matchMedia("(max-width: 30em), (max-height: 26em)");
const TRY_AGAIN_AFTER = 1500;
const LISTEN_AGAIN_AFTER = 5000;
const REFUSED = ["too_long", "too_large", "bad_message"];

class BacktalkChat extends HTMLElement {
  /** @type {ShadowRoot} */
  #root;
  /** @type {Strings} */
  #strings;
  /** @type {Client} */
  #client;
  // The token is shared by all tabs; what was not sent yet belongs to this one.
  #shared = new Store("localStorage", HERE.host);
  #own = new Store("sessionStorage", HERE.host);
  /** @type {Parts} */
  #parts;
  // Messages are sent one after the other; those on their way, by id.
  #queue = Promise.resolve();
  /** @type {Map<string, Bubble>} */
  #onTheWay = new Map();
  // How many messages of the history are shown.
  #count = 0;
  #isRestored = false;
  // The focus was in answers that are gone, and belongs in the next ones.
  #wantsFocus = false;
  /** @type {AbortController | null} */
  #listening = null;

  async connectedCallback() {
    if (this.shadowRoot) return;
    this.#root = this.attachShadow({ mode: "open" });
    const { color, country, emergencyNumber, strings } = this.dataset;
    /** @type {[string, Strings, Partial<Strings>]} */
    const [css, standard, own] = await Promise.all([
      read("styles.css", "text"),
      read("strings.json", "json"),
      strings ? read(new URL(strings, document.baseURI), "json").catch(() => ({})) : {},
    ]);
    this.#strings = { ...standard, ...own };
    this.#client = new Client(API, this.#shared, {
      locale: country ? `en-${country.toUpperCase()}` : navigator.language,
      emergency_number: emergencyNumber?.replace(/[^\d+]+/g, " ").trim(),
    });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.#root.adoptedStyleSheets = [sheet];
    this.#build();
    if (color && CSS.supports("color", color)) this.style.setProperty("--backtalk-accent", color);
    SMALL_SCREEN.addEventListener("change", () => this.#parts.panel.open && this.#lay());
    document.addEventListener("visibilitychange", () => this.#catchUp());
    window.addEventListener("storage", ({ key }) => key?.startsWith(this.#shared.key("")) && this.#catchUp());
    this.#showCalls(this.#shared.get("emergency"));
    if (this.dataset.open !== undefined || this.#own.get("open")) this.#open(false);
  }

  /** Opens the chat, at once or as soon as it is there. */
  open() {
    if (this.#parts) this.#open(true);
    else this.dataset.open = "";
  }

  /** Closes it; the conversation goes on when it is opened again. */
  close() {
    this.#own.set("open", null);
    if (!this.#parts) {
      delete this.dataset.open;
      return;
    }
    const { panel, launcher } = this.#parts;
    panel.close();
    launcher.hidden = false;
    launcher.focus();
  }

  #build() {
    const strings = this.#strings;
    this.#parts = buildPanel(strings, this.dataset.title || strings.title, this.dataset.emergencyNumber, {
      open: () => this.open(),
      close: () => this.close(),
      input: () => this.#keepDraft(),
      submit: (event) => this.#submit(event),
      key: (event) => this.#submitOnEnter(event),
      escape: (event) => this.#closeOnEscape(event),
      startOver: () => this.#say("/start_over", strings.start_over),
      summary: () => this.#say("/summary", strings.summary),
      erase: () => this.#askToErase(),
    });
    this.#root.append(this.#parts.launcher, this.#parts.panel);
    this.#parts.input.value = this.#own.get("draft") ?? "";
  }

  // ---- Open and close

  /** @param {boolean} byVisitor */
  #open(byVisitor) {
    const { panel, launcher, input, badge } = this.#parts;
    if (panel.open) return;
    this.#own.set("open", true);
    launcher.hidden = true;
    badge.hidden = true;
    badge.textContent = "";
    this.#lay();
    // On a phone the keyboard would cover what is said first.
    if (byVisitor && !SMALL_SCREEN.matches) input.focus();
    if (this.#isRestored) this.#showLast();
    else this.#restore();
  }

  /** Lays the panel over the page: where it fills the screen, nothing behind it can be reached. */
  #lay() {
    const { panel } = this.#parts;
    panel.close();
    if (!SMALL_SCREEN.matches) return panel.setAttribute("open", "");
    panel.showModal();
    panel.focus();
  }

  /** @param {Event} event */
  #closeOnEscape(event) {
    if (event instanceof KeyboardEvent && event.key !== "Escape") return;
    event.preventDefault();
    this.close();
  }

  // ---- What was said before

  /** Shows the conversation as the server has it. Messages sent meanwhile wait. */
  #restore() {
    this.#queue = this.#queue.then(() => this.#rebuild());
    return this.#queue;
  }

  async #rebuild() {
    const { earlier, log, status } = this.#parts;
    const strings = this.#strings;
    this.#remove(...status.childNodes);
    /** @type {Message[]} */
    let messages;
    try {
      messages = await this.#client.history();
      const session = await this.#client.open(true);
      this.#parts.privacy.textContent = strings.privacy.replace("{days}", String(session.keep_days));
    } catch (caught) {
      const error = ClientError.of(caught);
      if (error.code !== "no_session") return this.#offerToReconnect(error);
      this.#client.forget();
      status.textContent = strings.expired;
      messages = [];
    }
    this.#isRestored = true;
    earlier.replaceChildren();
    log.replaceChildren();
    this.#emergency({});
    this.#count = 0;
    for (const message of messages) earlier.append(...this.#shown(message));
    const turn = messages.slice(messages.findLastIndex(({ from }) => from === "visitor") + 1);
    this.#offer(
      messages.length ? turn : [{ buttons: strings.starters.map((text) => ({ title: text, payload: text })) }],
    );
    this.#recallUnsent(messages);
    if (this.#onTheWay.size) this.#writing();
    this.#showLast();
    this.#listen();
  }

  /** @param {ClientError} error */
  #offerToReconnect(error) {
    const { status } = this.#parts;
    const strings = this.#strings;
    status.replaceChildren(
      error.message || strings.no_connection,
      " ",
      button(strings.retry, () => this.#restore(), { class: "chip" }),
    );
    if (!this.#isRestored)
      this.#parts.earlier.replaceChildren(...this.#unsent().map(({ shown }) => this.#bubble("visitor", shown)));
  }

  /** Shows what another tab, or the bot by itself, wrote while this page was not looked at. */
  async #catchUp() {
    if (document.hidden || !this.#isRestored || this.#onTheWay.size) return;
    const messages = await this.#client.history().catch(() => null);
    if (!messages || this.#onTheWay.size || messages.length === this.#count) this.#listen();
    else this.#restore();
  }

  // ---- Sending

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const { input, note } = this.#parts;
    const text = input.value.trim();
    const surplus = [...text].length - (this.#client.session?.max_characters ?? Infinity);
    note.textContent = surplus > 0 ? this.#strings.too_long.replace("{count}", String(surplus)) : "";
    if (!text || surplus > 0) return;
    input.value = "";
    this.#keepDraft();
    this.#say(text, text);
  }

  /** @param {KeyboardEvent} event */
  #submitOnEnter(event) {
    if (event.target !== this.#parts.input || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    this.#submit(event);
  }

  #keepDraft() {
    this.#own.set("draft", this.#parts.input.value || null);
  }

  /**
   * @param {string} message
   * @param {string} shown
   */
  #say(message, shown) {
    const item = { id: newId(), message, shown };
    this.#own.set("unsent", [...this.#unsent(), item]);
    this.#tell("");
    this.#offer([]);
    const bubble = this.#bubble("visitor", shown);
    this.#parts.log.append(bubble);
    this.#toEnd();
    this.#deliver(item, bubble, false);
  }

  /**
   * @param {Outgoing} item
   * @param {Bubble} bubble
   * @param {boolean} again
   */
  #deliver(item, bubble, again) {
    this.#onTheWay.set(item.id, bubble);
    // What is answered now is announced, also where the message was shown again after a reload.
    if (this.#parts.earlier.contains(bubble)) this.#parts.log.append(bubble);
    if (bubble.failure) this.#remove(bubble.failure);
    this.#writing();
    this.#queue = this.#queue
      .then(() => this.#send(item, bubble, again))
      .finally(() => {
        this.#onTheWay.delete(item.id);
        this.#writing();
      });
  }

  /**
   * @param {Outgoing} item
   * @param {Bubble} bubble
   * @param {boolean} again
   */
  async #send(item, bubble, again) {
    try {
      await this.#converse(item, bubble, again).catch(async (caught) => {
        const error = ClientError.of(caught);
        if (error.code !== "offline") throw error;
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_AFTER));
        return this.#converse(item, bubble, true);
      });
      this.#forgetUnsent(item.id);
      if (!this.#isRestored) this.#restore();
    } catch (error) {
      this.#failed(item, bubble, ClientError.of(error));
    }
  }

  /**
   * Sends a message and shows the replies; those of an attempt that broke off are taken away first.
   *
   * @param {Outgoing} item
   * @param {Bubble} bubble
   * @param {boolean} again
   */
  async #converse(item, bubble, again) {
    /** @type {Reply[]} */
    const turn = [];
    for await (const reply of this.#client.send(item.id, item.message, again)) {
      if (!turn.length) {
        bubble.replies.forEach((node) => node.remove());
        bubble.replies = [];
        this.#count += 1;
      }
      turn.push(reply);
      const nodes = this.#shown({ ...reply, from: "bot" });
      (bubble.replies.at(-1) ?? bubble).after(...nodes);
      bubble.replies.push(...nodes);
      if (turn.length === 1) this.#showFrom(bubble);
    }
    this.#offer(turn);
    this.#showFrom(bubble);
    this.#listen();
  }

  /**
   * @param {Outgoing} item
   * @param {Bubble} bubble
   * @param {ClientError} error
   */
  #failed(item, bubble, error) {
    const strings = this.#strings;
    /** @type {Record<string, string>} */
    const words = {
      offline: strings.failed_offline,
      no_session: strings.failed_expired,
      too_many: strings.failed_wait.replace("{seconds}", String(error.wait || 60)),
    };
    if (error.code === "no_session") this.#client.forget();
    const isRefused = REFUSED.includes(error.code);
    if (isRefused) this.#takeBack(item);
    bubble.failure = el(
      "div",
      { class: "failure", role: "alert" },
      strings.failed,
      " ",
      words[error.code] ?? error.message,
      " ",
      !isRefused && button(strings.retry, () => this.#deliver(item, bubble, true), { class: "chip" }),
    );
    bubble.after(bubble.failure);
    bubble.failure.scrollIntoView({ block: "nearest" });
  }

  /**
   * Puts a message that will never be taken back where it can be changed.
   *
   * @param {Outgoing} item
   */
  #takeBack({ id, message }) {
    const { input } = this.#parts;
    this.#forgetUnsent(id);
    input.value ||= message;
    this.#keepDraft();
  }

  #unsent() {
    return this.#own.get("unsent") ?? [];
  }

  /** @param {string} id */
  #forgetUnsent(id) {
    const rest = this.#unsent().filter((item) => item.id !== id);
    this.#own.set("unsent", rest.length ? rest : null);
  }

  /**
   * Shows what could not be sent before the page was left, to send it now.
   *
   * @param {Message[]} messages
   */
  #recallUnsent(messages) {
    for (const item of this.#unsent()) {
      if (messages.some(({ id }) => id === item.id)) {
        this.#forgetUnsent(item.id);
        continue;
      }
      const onTheWay = this.#onTheWay.get(item.id);
      const bubble = onTheWay ?? this.#bubble("visitor", item.shown);
      this.#parts[onTheWay ? "log" : "earlier"].append(bubble);
      if (!onTheWay) this.#failed(item, bubble, new ClientError("unsent"));
    }
  }

  // ---- What the bot writes by itself

  async #listen() {
    if (this.#listening || document.hidden || !this.#count || !this.#client.session) return;
    const listening = new AbortController();
    this.#listening = listening;
    const leave = () => document.hidden && listening.abort();
    document.addEventListener("visibilitychange", leave);
    try {
      for await (const reply of this.#client.events(listening.signal)) {
        this.#parts.log.append(...this.#shown({ ...reply, from: "bot" }));
        this.#offer([reply]);
        this.#toEnd();
        this.#announce();
      }
    } catch (caught) {
      const error = ClientError.of(caught);
      if (error.code === "no_session") {
        if (this.#listening === listening) this.#listening = null;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(LISTEN_AGAIN_AFTER, error.wait * 1000)));
    } finally {
      document.removeEventListener("visibilitychange", leave);
    }
    if (this.#listening !== listening) return;
    this.#listening = null;
    this.#listen();
  }

  #announce() {
    const { panel, badge } = this.#parts;
    if (panel.open) return;
    badge.textContent = String(Number(badge.textContent) + 1);
    badge.hidden = false;
  }

  // ---- Showing

  /**
   * The elements for a message of either side; takes note of what it says about an emergency.
   *
   * @param {Message} message
   */
  #shown(message) {
    const { from, text, custom } = message;
    const strings = this.#strings;
    this.#count += 1;
    if (custom && "urgency" in custom) this.#emergency(custom);
    if (custom?.type === "assessment" && custom.card)
      return [resultCard(custom, strings, () => this.#say("/summary", strings.summary_long))];
    // A list stands among the answers, where its entries can be chosen.
    const isList = custom?.type === "question" && custom.options && custom.question !== "regions";
    if (isList || !text) return [];
    const bubble = this.#bubble(from, text);
    if (custom?.type === "summary")
      bubble.append(summaryTools(custom, text, this.#root, strings, (words) => this.#tell(words)));
    return [bubble];
  }

  /**
   * @param {"visitor" | "bot"} from
   * @param {string} text
   * @returns {Bubble}
   */
  #bubble(from, text) {
    const who = from === "visitor" ? this.#strings.you : this.#strings.bot;
    const bubble = el(
      "div",
      { class: `message ${from}` },
      el("span", { class: "hidden" }, `${who}: `),
      el("span", { class: "text" }, linked(text)),
    );
    return Object.assign(bubble, { replies: [] });
  }

  /**
   * Shows the answers that the last message with any offers; the focus stays where the answers were.
   *
   * @param {Reply[]} turn
   */
  #offer(turn) {
    const { answers: place, scroller } = this.#parts;
    const active = this.#root.activeElement;
    const hadFocus = place.contains(active) || (this.#wantsFocus && active === scroller);
    const message = turn.findLast(({ buttons, custom }) => buttons?.length || custom?.options?.length);
    const choices = message && answers(message, this.#strings, (payload, title) => this.#say(payload, title));
    place.replaceChildren(...(choices ? [choices] : []));
    this.#wantsFocus = hadFocus && !choices;
    if (hadFocus) (choices || scroller).focus({ preventScroll: true });
  }

  /** @param {{ urgency?: string | null, card?: Card }} result */
  #emergency({ urgency, card }) {
    if (urgency !== "emergency") this.#showCalls(null);
    else if (card) this.#showCalls(card.call);
  }

  /**
   * Shows the numbers to call, or none; the browser keeps them, to show them also while the server cannot be reached.
   *
   * @param {TelephoneNumber[] | null} numbers
   */
  #showCalls(numbers) {
    const { emergency } = this.#parts;
    this.#shared.set("emergency", numbers);
    emergency.hidden = !numbers;
    if (numbers) emergency.replaceChildren(el("strong", {}, this.#strings.call), calls(numbers, this.#strings));
  }

  #writing() {
    const { status } = this.#parts;
    if (!this.#onTheWay.size) return status.replaceChildren();
    status.replaceChildren(
      el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")),
      el("span", {}, this.#strings.writing),
    );
    this.#toEnd();
  }

  /**
   * Takes elements away; a focus that was in them goes to the messages rather than nowhere.
   *
   * @param {ChildNode[]} nodes
   */
  #remove(...nodes) {
    const active = this.#root.activeElement;
    if (nodes.some((node) => node.contains(active))) this.#parts.scroller.focus({ preventScroll: true });
    nodes.forEach((node) => node.remove());
  }

  /** @param {string} words */
  #tell(words) {
    this.#parts.note.textContent = words;
  }

  #toEnd() {
    const view = this.#view;
    view.scrollTop = view.scrollHeight;
  }

  /** What scrolls: the messages, or the whole panel where little fits. */
  get #view() {
    const { panel, scroller } = this.#parts;
    return getComputedStyle(panel).overflowY === "auto" ? panel : scroller;
  }

  /**
   * Scrolls to the end, but not past what the visitor said last.
   *
   * @param {Element} bubble
   */
  #showFrom(bubble) {
    this.#toEnd();
    const { top, scroller } = this.#parts;
    const edge = Math.max(top.getBoundingClientRect().bottom, scroller.getBoundingClientRect().top);
    this.#view.scrollTop += Math.min(0, bubble.getBoundingClientRect().top - edge - 8);
  }

  #showLast() {
    const last = [...this.#root.querySelectorAll(".message.visitor")].at(-1);
    if (last) this.#showFrom(last);
    else this.#view.scrollTop = 0;
  }

  // ---- Erasing

  #askToErase() {
    const strings = this.#strings;
    /** @type {HTMLDialogElement} */
    const dialog = el("dialog", { class: "sheet ask", "aria-labelledby": "erase", close: () => dialog.remove() });
    const failure = el("p", { class: "failure", role: "alert" });
    const erase = async () => {
      try {
        await this.#erase();
        dialog.close();
      } catch {
        failure.textContent = strings.not_erased;
      }
    };
    dialog.append(
      el("p", { id: "erase" }, strings.erase_sure),
      el(
        "div",
        { class: "chips" },
        button(strings.erase_no, () => dialog.close(), { class: "chip" }),
        button(strings.erase_yes, erase, { class: "chip danger" }),
      ),
      failure,
    );
    this.#root.append(dialog);
    dialog.showModal();
  }

  /** Erases the conversation behind what is still being sent; what is sent later belongs to the next. */
  async #erase() {
    const erasing = this.#queue.then(() => this.#client.erase());
    this.#queue = erasing.catch(() => {});
    try {
      await erasing;
    } catch (error) {
      if (ClientError.of(error).code !== "no_session") throw error;
      this.#client.forget();
    }
    this.#own.set("unsent", null);
    this.#parts.input.value = "";
    this.#keepDraft();
    this.#listening?.abort();
    this.#listening = null;
    await this.#restore();
    this.#tell(this.#strings.erased);
  }
}

/**
 * @param {string | URL} address
 * @param {"text" | "json"} kind
 */
async function read(address, kind) {
  const reply = await fetch(new URL(address, HERE), { credentials: "omit" });
  if (!reply.ok) throw new Error(`${address}: ${reply.status}`);
  return reply[kind]();
}

// Pages without https have no randomUUID.
const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36)).join("-");

customElements.define("backtalk-chat", BacktalkChat);
