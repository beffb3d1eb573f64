// The reader: a source at its passage, in the panel; on a phone over the whole page. What
// it shows comes from the page's own routes, escaped there (`source_panel.py`).
{
  const docent = window.docent;
  const reader = docent.find("#docent-reader");
  const part = (name) => reader.querySelector(name);
  const body = part(".docent-body");
  const turner = part(".docent-turner");
  let places = []; // elements that say where a quote stands, in order
  let at = 0;
  let marker = ""; // href of the number that led here
  let asked = 0; // what comes late for an earlier question is thrown away
  let shown = {}; // of the document: offsets of the part that is shown, or the page
  let picture = "";

  const where = (element) => {
    const { source, start, end, check } = element.dataset;
    return { source, start, end, check };
  };

  const get = async (name, values) => {
    const response = await fetch(docent.url(name, values));
    if (name === "page" && response.ok) return URL.createObjectURL(await response.blob());
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error || docent.say("reader.failed"));
    return answer;
  };

  const button = (what, words, title = "") => {
    const made = docent.element("button", `docent-do docent-i-${what}`, words);
    made.type = "button";
    made.dataset.do = what;
    made.title = title;
    if (title) made.setAttribute("aria-label", title);
    return made;
  };

  // --- opening --------------------------------------------------------------------------

  docent.openCitation = (card) => {
    marker = `#${card.id}`;
    open([...document.querySelectorAll(`.docent-card[data-turn="${card.dataset.turn}"]`)], card);
  };

  const open = (list, element) => {
    places = list;
    at = list.indexOf(element);
    body.replaceChildren();
    const tabs = [...document.querySelectorAll('#docent-side button[role="tab"]')];
    const tab = tabs.find((one) => one.textContent.trim() === "Sources");
    if (tab?.getAttribute("aria-selected") === "false") tab.click();
    docent.page.classList.add("docent-reading");
    reader.hidden = false;
    if (matchMedia("(max-width: 900px)").matches) cover(true);
    show();
  };

  // Over the whole page, nothing behind it can be reached.
  const cover = (covered) => {
    document.querySelectorAll("[data-covered]").forEach((one) => {
      one.inert = false;
      delete one.dataset.covered;
    });
    for (let one = reader; covered && one !== document.body; one = one.parentElement)
      for (const beside of one.parentElement.children)
        if (beside !== one && beside.id !== "docent-status") {
          beside.inert = true;
          beside.dataset.covered = "";
        }
  };

  const show = async ({ focus = true, ...values } = {}) => {
    const element = places[at];
    const number = element.dataset.number;
    if (number) marker = `#${element.id}`;
    current(number && marker);
    const total = places.length;
    part(".docent-count").textContent = number
      ? docent.say("reader.count", { number, total })
      : docent.say("reader.passage");
    part('[data-do="previous"]').disabled = at === 0;
    part('[data-do="next"]').disabled = at === total - 1;
    const mine = ++asked;
    body.setAttribute("aria-busy", "true");
    try {
      const answer = await get("passage", { ...where(element), ...values });
      if (mine === asked) fill(element, answer, focus);
    } catch (error) {
      if (mine === asked) fail(element, error.message, focus);
    }
    body.removeAttribute("aria-busy");
  };

  // The number whose source is open can be told from the others.
  const current = (href) => {
    docent.find("#docent-chat a[aria-current]")?.removeAttribute("aria-current");
    if (href) docent.find(`#docent-chat a[href="${href}"]`)?.setAttribute("aria-current", "true");
  };

  const fill = (element, answer, focus) => {
    head(answer.title, answer.where, answer.name, answer.original);
    part(".docent-file").title = answer.source;
    body.innerHTML = answer.html;
    body.dataset.kind = answer.kind;
    shown = answer;
    turner.replaceChildren();
    if (answer.kind === "page") {
      page(element, focus);
      return;
    }
    if (answer.page) turner.append(button("page", docent.say("reader.as.page")));
    edges();
    const mark = body.querySelector("mark");
    if (!mark) return;
    light(mark, mark, focus);
  };

  const light = (mark, focused, focus) => {
    docent.reveal(mark.closest("tr") || mark, body);
    focused.tabIndex = -1;
    if (focus) focused.focus({ preventScroll: true });
  };

  const head = (title, place, name, original) => {
    part("h2").textContent = title;
    part(".docent-where").textContent = place;
    const file = part(".docent-file");
    file.replaceChildren(docent.element("span", "docent-source", name));
    if (original.kind === "none") return;
    const link = docent.element("a", "docent-original", docent.say("reader.original"));
    if (original.kind === "link") {
      link.href = original.href;
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    } else link.href = docent.url("original", { source: shownSource() });
    file.append(" ", link);
  };
  const shownSource = () => places[at].dataset.source;

  // What was cited stays readable where its document is not.
  const fail = (element, message, focus) => {
    const card = element.closest("article, li") || element;
    const title = (card.querySelector(".docent-title") || element).textContent;
    head(title, "", "", { kind: "none" });
    turner.replaceChildren();
    body.dataset.kind = "text";
    const why = docent.element("p", "docent-note", message);
    why.setAttribute("role", "alert");
    const mark = docent.element("mark", "", card.querySelector("mark, .docent-excerpt")?.textContent);
    const quote = docent.element("p");
    quote.dir = "auto";
    quote.append(mark);
    body.replaceChildren(why, quote);
    light(mark, mark, focus);
  };

  // --- more of a text -------------------------------------------------------------------

  const edges = () => {
    body.querySelectorAll(".docent-do").forEach((old) => old.remove());
    if (shown.above) {
      const up = button("up", docent.say("reader.above"));
      const mail = body.querySelector(".docent-mail");
      if (mail) mail.after(up);
      else body.prepend(up);
    }
    if (shown.below) body.append(button("down", docent.say("reader.below")));
  };

  const more = async (way) => {
    const mine = asked;
    const edge = way === "up" ? shown.from : shown.to;
    const added = await get("part", { ...where(places[at]), edge, way });
    if (mine !== asked) return;
    const height = body.scrollHeight;
    const into = body.querySelector("tbody") || body;
    const first = into === body ? body.querySelector('[data-do="up"]') : null;
    const last = into === body ? body.querySelector('[data-do="down"]') : null;
    if (way === "up") {
      if (first) first.insertAdjacentHTML("afterend", added.html);
      else into.insertAdjacentHTML("afterbegin", added.html);
      shown = { ...shown, from: added.from, above: added.above };
    } else {
      if (last) last.insertAdjacentHTML("beforebegin", added.html);
      else into.insertAdjacentHTML("beforeend", added.html);
      shown = { ...shown, to: added.to, below: added.below };
    }
    edges();
    if (way === "up") body.scrollTop += body.scrollHeight - height;
    body.focus({ preventScroll: true });
  };

  // --- pages ----------------------------------------------------------------------------

  const page = async (element, focus) => {
    const mine = asked;
    const figure = body.querySelector("figure");
    const number = Number(figure.dataset.page);
    const pages = Number(figure.dataset.pages);
    const back = button("page-previous", "‹", docent.say("reader.page.previous"));
    const on = button("page-next", "›", docent.say("reader.page.next"));
    back.disabled = number === 1;
    on.disabled = number === pages;
    const label = docent.element("span", "", docent.say("reader.page", { page: number, pages }));
    const text = button("text", docent.say("reader.as.text"));
    turner.replaceChildren(back, label, on, text);
    const marks = get("marks", { ...where(element), page: number }).catch((error) => ({
      boxes: [],
      said: error.message,
    }));
    try {
      const url = await get("page", { source: element.dataset.source, page: number });
      if (mine !== asked) return URL.revokeObjectURL(url);
      URL.revokeObjectURL(picture);
      picture = url;
      const image = figure.querySelector("img");
      image.src = url;
      await image.decode();
    } catch (error) {
      if (mine === asked) await unseen(error.message, focus);
      return;
    }
    const found = await marks;
    if (mine === asked) paint(figure, found, focus);
  };

  const paint = (figure, found, focus) => {
    const boxes = figure.querySelector(".docent-boxes");
    for (const [left, top, right, bottom] of found.boxes) {
      const box = docent.element("span", "docent-box");
      const share = (value) => `${100 * value}%`;
      Object.assign(box.style, {
        left: share(left),
        top: share(top),
        width: share(right - left),
        height: share(bottom - top),
      });
      boxes.append(box);
    }
    figure.querySelector("figcaption").textContent = found.said;
    boxes.setAttribute("aria-label", found.said);
    light(boxes.querySelector(".docent-box") || figure, boxes, focus);
  };

  const unseen = async (message, focus) => {
    await show({ focus, text: 1 });
    turner.replaceChildren(docent.element("p", "docent-note", message));
  };

  const turn = (step) => show({ focus: false, page: shown.page_shown + step });

  // --- leaving --------------------------------------------------------------------------

  docent.closeReader = () => {
    asked++;
    current("");
    reader.hidden = true;
    docent.page.classList.remove("docent-reading");
    cover(false);
  };

  const back = () => {
    const last = places[at];
    docent.closeReader();
    const link = last.dataset.number && docent.find(`#docent-chat a[href="${marker}"]`);
    if (link) docent.reveal(link, docent.find("#docent-chat .bubble-wrap"));
    (link || last).focus({ preventScroll: Boolean(link) });
  };

  const all = () => {
    const last = places[at];
    docent.closeReader();
    docent.reveal(last, docent.find("#docent-sources"));
    last.focus({ preventScroll: true });
  };

  const step = (by, focus) => {
    if (at + by < 0 || at + by >= places.length) return;
    at += by;
    show({ focus });
  };

  const acts = {
    back,
    all,
    previous: () => step(-1, false),
    next: () => step(1, false),
    "page-previous": () => turn(-1),
    "page-next": () => turn(1),
    text: () => show({ focus: false, text: 1 }),
    page: () => show({ focus: false }),
    up: () => more("up"),
    down: () => more("down"),
  };

  document.addEventListener("click", (event) => {
    const act = event.target.closest?.("#docent-reader [data-do]");
    if (act) {
      // Who pressed a button that is drawn anew finds it under the same name.
      const name = act.dataset.do;
      Promise.resolve(acts[name]()).then(() => {
        if (document.activeElement === document.body) part(`[data-do="${name}"]`)?.focus();
      });
      return;
    }
    const chosen = event.target.closest?.(".docent-card, .docent-considered .docent-open");
    if (!chosen || getSelection().toString()) return;
    if (chosen.dataset.number) docent.openCitation(chosen);
    else {
      const list = chosen.closest(".docent-considered, section");
      open([...list.querySelectorAll(`.${chosen.classList[0]}`)], chosen);
    }
  });

  reader.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") back();
    else if (event.key === "n") step(1, true);
    else if (event.key === "p") step(-1, true);
    else return;
    event.preventDefault();
  });
}
