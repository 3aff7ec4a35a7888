// Puts the chat on a page: <script src="https://bot.example/chat/widget.js" defer></script>
// docs/widget.md lists its settings.
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  if (document.querySelector("backtalk-chat")) return;
  const chat = document.createElement("backtalk-chat");
  Object.assign(chat.dataset, script.dataset);
  document.body.append(chat);
  import(new URL("chat.js", script.src).href);
})();
