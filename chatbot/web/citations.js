// Numbers: the quote appears while a number is pointed at or has the focus; a click or
// Enter opens the source at the passage.
{
  const docent = window.docent;
  const LINK = 'a[href^="#cite-"]';
  let awaited = ""; // a card that is still on its way: the chat may be drawn before the panel

  // --- the quote beside its number ----------------------------------------------------

  const tip = docent.element("div", "docent-tip");
  tip.id = "docent-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  docent.page.append(tip);
  let pointed = null;
  let leaving = 0;

  const place = (link) => {
    const box = link.getBoundingClientRect();
    const room = 8;
    tip.style.left = `${Math.max(room, Math.min(box.left, innerWidth - tip.offsetWidth - room))}px`;
    // Below, so that the sentence stays readable; above only where there is no room.
    const below = box.bottom + 4;
    const fits = below + tip.offsetHeight < innerHeight - room;
    tip.style.top = `${fits ? below : box.top - tip.offsetHeight - 4}px`;
  };

  const show = (link) => {
    clearTimeout(leaving);
    const card = document.getElementById(link.hash.slice(1));
    if (!card || pointed === link) return;
    hide();
    pointed = link;
    const quote = docent.element("q", "", card.querySelector("mark").textContent);
    quote.dir = "auto";
    const title = docent.element("span", "docent-source");
    title.textContent = [".docent-title", ".docent-source"]
      .map((part) => card.querySelector(part).textContent)
      .join(" · ");
    tip.replaceChildren(quote, title);
    tip.hidden = false;
    link.setAttribute("aria-describedby", tip.id);
    place(link);
  };

  const hide = () => {
    clearTimeout(leaving);
    pointed?.removeAttribute("aria-describedby");
    pointed = null;
    tip.hidden = true;
  };

  // The pointer may rest on the quote itself, on its way there too.
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, 250);
  };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = event.target.closest?.(LINK);
    if (link) show(link);
    else if (event.target.closest?.("#docent-tip")) clearTimeout(leaving);
    else if (pointed && document.activeElement !== pointed) leave();
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.(LINK);
    if (link?.matches(":focus-visible")) show(link);
    else if (!link) hide();
  });
  addEventListener("scroll", () => pointed && place(pointed), { capture: true, passive: true });

  // --- to the source --------------------------------------------------------------------

  const arrive = () => {
    const card = document.getElementById(awaited);
    if (!card) return;
    awaited = "";
    docent.openCitation(card);
  };

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.(LINK);
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      hide();
      awaited = link.hash.slice(1);
      arrive();
    },
    true,
  );
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || tip.hidden) return;
      event.stopPropagation();
      hide();
    },
    true,
  );
  new MutationObserver(() => awaited && arrive()).observe(docent.find("#docent-sources"), {
    childList: true,
    subtree: true,
  });
}
