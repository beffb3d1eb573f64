// What the page's scripts share. Each stands in a block of its own; `window.docent` is
// where they meet. Only the panel or the chat scrolls, never the page around them, unless
// the window is so narrow that they are part of one long page.
{
  const docent = window.docent;
  const root = (window.gradio_config?.root || location.origin).replace(/\/$/, "");

  docent.find = (selector) => document.querySelector(selector);
  // Gradio's style sheets reach what is inside its container only.
  docent.page = docent.find("#docent-page");
  // As the server chooses it: the visitor's choice, or else the best liked that there is.
  const chosen = document.cookie.match(`(?:^|; )${docent.cookie}=([^;]*)`)?.[1];
  const liked = [chosen, ...navigator.languages.map((one) => one.split("-")[0].toLowerCase())];
  docent.language = liked.find((one) => Object.hasOwn(docent.tables, one ?? "")) ?? "en";
  docent.words = docent.tables[docent.language];
  docent.say = (key, values = {}) =>
    docent.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  // What the server wrote before it knew the visitor's language.
  document.querySelectorAll("[data-say]").forEach((one) => {
    one.textContent = one.title = docent.say(one.dataset.say);
  });
  document.querySelectorAll("[data-label]").forEach((one) => {
    one.setAttribute("aria-label", docent.say(one.dataset.label));
  });
  docent.url = (name, values) => `${root}/docent/${name}?${new URLSearchParams(values)}`;

  docent.reveal = (element, scroller) => {
    if (scroller.scrollHeight <= scroller.clientHeight + 1) {
      element.scrollIntoView({ block: "center" });
      return;
    }
    const inner = element.getBoundingClientRect();
    const outer = scroller.getBoundingClientRect();
    const room = Math.max((outer.height - inner.height) / 2, 0);
    scroller.scrollBy({ top: inner.top - outer.top - room });
  };

  // On a phone the focus would open the keyboard over what was asked for.
  docent.write = () => {
    if (matchMedia("(pointer: fine)").matches) docent.find("#docent-ask textarea").focus();
  };

  // A login may end while the page is open: whatever is asked next says so.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const reply = await fetched(...request);
    if (reply.status === 401) location.reload();
    return reply;
  };

  docent.element = (name, kind = "", words = "") => {
    const made = document.createElement(name);
    made.className = kind;
    made.textContent = words;
    return made;
  };

  // Said to who does not see: in a place of its own, so that nothing is said twice.
  const status = docent.element("div", "docent-unseen");
  status.id = "docent-status";
  status.setAttribute("role", "status");
  docent.page.append(status);
  docent.tell = (words) => (status.textContent = words);
}
