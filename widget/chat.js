// The plain chat page: sends what is typed or tapped to the REST channel and shows the replies.
"use strict";

const log = document.getElementById("log");
const status = document.getElementById("status");
const form = document.getElementById("form");
const input = document.getElementById("text");

// A random name for this visit only; nobody can guess it, and it ends with the page.
const sender = crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
let busy = false;

function show(who, text, emergency = false) {
  const message = document.createElement("div");
  message.className = `message ${who}${emergency ? " emergency" : ""}`;
  const speaker = document.createElement("span");
  speaker.className = "who";
  speaker.textContent = who === "me" ? "You: " : "Backtalk: ";
  message.append(speaker, text);
  log.append(message);
  return message;
}

function offer(buttons) {
  const choices = document.createElement("div");
  choices.className = "choices";
  for (const { title, payload } of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.addEventListener("click", () => send(payload, title));
    choices.append(button);
  }
  log.append(choices);
}

function offerFiles({ document: page, fhir }) {
  const files = document.createElement("div");
  files.className = "files";
  const saved = [[page.name, page.mime_type, page.content, "Save as a page"]];
  saved.push(["back-summary.fhir.json", "application/fhir+json", JSON.stringify(fhir, null, 2), "Save as FHIR"]);
  for (const [name, type, content, title] of saved) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.textContent = title;
    files.append(link);
  }
  log.append(files);
}

async function send(message, shown = message) {
  if (busy) return;
  busy = true;
  for (const old of log.querySelectorAll(".choices")) old.remove();
  if (shown) show("me", shown);
  status.textContent = "Backtalk is writing…";
  try {
    const reply = await fetch("/webhooks/rest/webhook", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sender, message, metadata: { locale: navigator.language } }),
    });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.message);
    status.textContent = "";
    let first = null;
    for (const { text, buttons, custom } of answer) {
      const shownReply = text && show("bot", text, custom?.urgency === "emergency");
      first = first || shownReply;
      if (custom?.type === "summary") offerFiles(custom);
      if (buttons) offer(buttons);
    }
    log.scrollTop = log.scrollHeight;
    if (first && first.offsetTop - log.offsetTop < log.scrollTop) first.scrollIntoView({ block: "start" });
  } catch (error) {
    status.textContent = "That did not get through. ";
    const retry = document.createElement("button");
    retry.type = "button";
    retry.textContent = "Try again";
    retry.addEventListener("click", () => send(message, ""));
    status.append(retry);
  } finally {
    busy = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (!text || busy) return;
  input.value = "";
  send(text);
});

input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

send("hello", "");
