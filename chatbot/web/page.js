// Markers and citations: a click on a number lights its passage up in the panel; the
// way back leads to the number. Only the panel or the chat scrolls, never the page
// around them, unless the window is so narrow that they are part of one long page.
() => {
  const find = (selector) => document.querySelector(selector);
  let marker = ""; // href of the number that was followed last
  let awaited = false; // its card is still on its way: the chat may be drawn before the panel

  const reveal = (element, scroller) => {
    if (scroller.scrollHeight <= scroller.clientHeight + 1) {
      element.scrollIntoView({ block: "center" });
      return;
    }
    const inner = element.getBoundingClientRect();
    const outer = scroller.getBoundingClientRect();
    const room = Math.max((outer.height - inner.height) / 2, 0);
    scroller.scrollBy({ top: inner.top - outer.top - room });
  };

  const darken = () =>
    document.querySelectorAll(".docent-lit").forEach((card) => card.classList.remove("docent-lit"));

  const light = () => {
    const card = document.getElementById(marker.slice(1));
    awaited = !card;
    if (!card) return;
    darken();
    card.classList.add("docent-lit");
    reveal(card.querySelector("mark") || card, find("#docent-sources"));
    card.focus({ preventScroll: true });
  };

  const follow = (link) => {
    marker = link.getAttribute("href");
    const tabs = [...document.querySelectorAll('#docent-side button[role="tab"]')];
    tabs.find((tab) => tab.textContent.trim() === "Sources")?.click();
    requestAnimationFrame(() => requestAnimationFrame(light));
  };

  const back = () => {
    darken();
    const link = find(`#docent-chat a[href="${marker}"]`);
    if (!link) return;
    reveal(link, find("#docent-chat .bubble-wrap"));
    link.focus({ preventScroll: true });
  };

  // On a phone the focus would open the keyboard over what was asked for.
  const write = () => {
    if (matchMedia("(pointer: fine)").matches) find("#docent-ask textarea").focus();
  };

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.('a[href^="#cite-"]');
      if (link) {
        event.preventDefault();
        event.stopPropagation();
        follow(link);
      } else if (event.target.closest?.(".docent-back")) back();
      else if (event.target.closest?.("#docent-send, #docent-new, #docent-chat .example")) write();
    },
    true,
  );
  new MutationObserver(() => awaited && light()).observe(find("#docent-sources"), {
    childList: true,
    subtree: true,
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea");
    if (event.key === "Escape" && !typing && find(".docent-lit")) back();
  });

  // A login may end while the page is open: whatever is asked next says so.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const reply = await fetched(...request);
    if (reply.status === 401) location.reload();
    return reply;
  };

  window.docent = {
    // After an answer: its sources from the top; a question that failed goes back to the
    // box, unless the next one is being typed there.
    // A number that was followed meanwhile stays where it was scrolled to.
    answered: (typed, failed) => {
      if (!awaited && !find(".docent-lit")) find("#docent-sources")?.scrollTo({ top: 0 });
      return [typed || failed, ""];
    },
  };
}
