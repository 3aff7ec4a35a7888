// What the widget's scripts hand to each other and to the bot, for those who read and check them. No page loads this
// file; docs/widget.md describes what the bot sends.

import type { buildPanel } from "./panel.js";

// ---- What the bot sends

/** A part of a conversation: what the bot replies, or writes by itself. */
export interface Reply {
  text?: string;
  buttons?: Choice[];
  custom?: Custom;
}

/** A message of the history; `id` is the page's own name for one of the visitor's. */
export interface Message extends Reply {
  from: "visitor" | "bot";
  id?: string;
}

/** An answer to tap: `payload` is sent as a message, and shown as `title`. */
export interface Choice {
  title: string;
  payload: string;
}

export type Custom = Question | Assessment | Summary | StartedOver;

/**
 * A question, with `options` where several may be chosen; `question` is the slot that it fills, `urgency` the level
 * that holds now.
 */
export interface Question {
  type: "question";
  question: string;
  urgency: string | null;
  options?: Option[];
}

export interface Option {
  id: string;
  entity: string;
  text: string;
}

/** The result. Without a card, the advice is as it was. */
export type Assessment = { type: "assessment"; urgency: string; regions: string[]; options?: never } & (
  { card: Card } | { card?: never }
);

/** The result as a person reads it; what may have tightened and what may relieve it only where that is safe to tell. */
export type Card = Advice & (Explanation | { [Part in keyof Explanation]?: never });

export interface Advice {
  /** The level in words, for a level that the widget's texts do not have. */
  level: string;
  /** A sign with words of its own. */
  alone: string | null;
  changed: string[];
  headline: string;
  do: Statement[];
  notes: string[];
  reasons: Reason[];
  also: Reason[];
  harmless: Statement | null;
  seek_help: Statement;
  sources: Source[];
  note: string;
  call: TelephoneNumber[];
}

export interface Explanation {
  explanation: Statement;
  /** The regions in words. */
  place: string;
  muscles: Muscle[];
  relief: Relief[];
  worse: Statement | null;
}

/** A text with the numbers of its sources. */
export interface Statement {
  text: string;
  sources: number[];
}

/** A reason for the level, with the visitor's own words where there are any. */
export interface Reason extends Statement {
  said: string | null;
}

export interface Muscle extends Statement {
  name: string;
}

export interface Relief extends Statement {
  name: string;
  caution: string | null;
  evidence: string | null;
}

export interface Source {
  number: number;
  full: string;
  url: string | null;
}

/** A number to dial, and whose it is. */
export interface TelephoneNumber {
  number: string;
  of: "emergency_number" | "crisis_line";
}

/** The summary for a doctor: to show, to save, and for records. */
export interface Summary {
  type: "summary";
  sections: Section[];
  document: { name: string; mime_type: string; content: string };
  fhir: unknown;
  options?: never;
}

export interface Section {
  /** Empty in the first and the last. */
  title: string;
  lines: string[];
}

/** What was told before no longer counts. */
export interface StartedOver {
  type: "started_over";
  urgency: null;
  options?: never;
}

/**
 * The token of a conversation, and when it expires, in seconds of the epoch; `keep_days` after the last message all is
 * erased.
 */
export interface Session {
  token: string;
  expires: number;
  keep_days: number;
  max_characters: number;
}

/** What went wrong, as a code for programs and words for people. */
export interface Refusal {
  error: string;
  message: string;
}

// ---- What is sent and kept

/** What the bot is told along with each message. */
export interface About {
  locale: string;
  emergency_number?: string | undefined;
}

/** A message of the visitor's, and how it is shown. */
export interface Outgoing {
  id: string;
  message: string;
  shown: string;
}

/** What a browser keeps, by its names. */
export interface Kept {
  session: Session;
  emergency: TelephoneNumber[];
  open: true;
  draft: string;
  unsent: Outgoing[];
}

// ---- What is shown

/** The widget's texts. There may be more levels than it has words for. */
export type Strings = typeof import("./strings.json") & {
  [level: `level_${string}` | `seek_help_${string}`]: string | undefined;
};

export type Attributes = Record<string, string | number | boolean | null | undefined | Listener>;

/** What an element is filled with; nothing comes of what is empty. */
export type Child = Node | string | false | null | undefined | Child[];

/** Whoever listens for an event knows of which kind it is. */
export type Listener = { listen(event: Event): unknown }["listen"];

/** Called with the answer that is given: what is sent, and how it is shown. */
export type OnAnswer = (payload: string, title: string) => void;

/** A region of the body map. */
export type Region = Pick<Option, "id" | "text">;

/** The height at which the name of a region stands, and half of its outline. */
export interface RegionShape {
  y: number;
  half: string;
}

export type OnToggle = (id: string) => void;

/** What happens in the panel. */
export interface Actions {
  open: () => void;
  close: () => void;
  input: () => void;
  submit: (event: Event) => void;
  key: (event: KeyboardEvent) => void;
  escape: (event: Event) => void;
  startOver: () => void;
  summary: () => void;
  erase: () => void;
}

export type Parts = ReturnType<typeof buildPanel>;

/** A message on the screen: the replies to it that are shown, and what is said where it was not sent. */
export interface Bubble extends HTMLElement {
  replies: Element[];
  failure?: HTMLElement;
}
