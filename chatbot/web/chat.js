// Asking: what is asked anew, stopped, copied and judged.
{
  const docent = window.docent;
  const box = () => docent.find("#docent-ask textarea");
  const kept = (name, turn) => document.getElementById(`docent-${name}-${turn}`)?.textContent;
  let order = null; // what the next question takes the place of
  let verdict = {}; // what is to be noted of an answer
  const verdicts = new Map(); // turn → helpful

  const put = (words) => {
    const field = box();
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(field, words);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const busy = () => docent.page.classList.contains("docent-busy");
  const send = (wanted) => {
    order = wanted;
    docent.find("#docent-send").click();
  };

  // --- asking -----------------------------------------------------------------------------

  let example = false; // whether an example is what is asked
  document.addEventListener(
    "click",
    (event) => (example = Boolean(event.target.closest?.("#docent-chat .example"))),
    { capture: true },
  );

  // The question leaves the box when it appears in the chat, not before: until then it may be
  // refused. The next one is not touched.
  let leaving = null; // what was sent, and the questions in the chat before it
  const questions = () => {
    const said = [...document.querySelectorAll("#docent-chat .user.message")];
    return `${said.length} ${said.at(-1)?.textContent}`;
  };
  const leave = () => {
    if (!leaving || questions() === leaving.before) return;
    if (box().value === leaving.typed) put("");
    leaving = null;
  };

  docent.asking = (typed, _, ...rest) => {
    const ordered = order ? JSON.stringify(order) : "";
    const asks = order?.question || example || typed?.trim();
    leaving = order?.question || example ? null : { typed, before: questions() };
    if (!asks) queueMicrotask(() => put(""));
    put_away();
    docent.find("#docent-noted")?.querySelector("p")?.remove();
    if (asks) {
      docent.closeReader();
      docent.page.classList.add("docent-busy");
      docent.tell(docent.say("ask.working"));
    }
    return [typed, ordered, ...rest];
  };

  const done = () => {
    docent.page.classList.remove("docent-busy");
    const last = [...document.querySelectorAll("#docent-chat .bot.message")].pop();
    const said = last?.cloneNode(true);
    said?.querySelectorAll("button, .docent-how").forEach((part) => part.remove());
    if (said) docent.tell(docent.say("ask.done", { text: said.textContent.trim() }));
  };

  // After an answer: its sources from the top; a question that failed goes back to the
  // box, unless the next one is being typed there.
  docent.answered = (typed, failed) => {
    if (docent.find("#docent-reader").hidden) docent.find("#docent-sources")?.scrollTo({ top: 0 });
    done();
    return [typed || failed, ""];
  };
  docent.refused = () => {
    docent.page.classList.remove("docent-busy");
    return [];
  };
  docent.stopped = () => {
    done();
    docent.write();
    return [];
  };

  // --- asking something else in its place ---------------------------------------------------

  const editing = docent.element("div", "docent-editing");
  editing.setAttribute("role", "status");
  docent.find("#docent-ask").before(editing);

  const put_away = () => {
    order = null;
    editing.replaceChildren();
  };

  const edit = (turn, alone) => {
    order = { turn, alone };
    put(kept(alone ? "searched" : "question", turn));
    const cancel = docent.element("button", "docent-cancel", docent.say("ask.cancel"));
    cancel.type = "button";
    const words = docent.say(alone ? "ask.searching" : "ask.editing");
    editing.replaceChildren(docent.element("span", "", words), cancel);
    box().focus();
  };

  // --- copying ------------------------------------------------------------------------------

  const copy = async (words, button) => {
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      // Without a secure address there is no clipboard but by way of a selection.
      const field = docent.element("textarea", "docent-unseen");
      field.value = words;
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    docent.tell(docent.say("answer.copied"));
    button.classList.add("docent-done");
    button.addEventListener("blur", () => button.classList.remove("docent-done"), { once: true });
  };

  // --- judging ------------------------------------------------------------------------------

  docent.judged = () => JSON.stringify(verdict);

  const judge = (turn, helpful, reason = "") => {
    verdict = { turn, helpful, reason };
    verdicts.set(turn, helpful);
    press();
    docent.find("#docent-judge").click();
  };

  const press = () => {
    document.querySelectorAll("#docent-chat .docent-i-good, #docent-chat .docent-i-bad").forEach((button) => {
      const [, what, turn] = button.id.split("-");
      const known = verdicts.has(Number(turn));
      const pressed = known
        ? verdicts.get(Number(turn)) === (what === "good")
        : button.classList.contains("docent-pressed");
      if (button.getAttribute("aria-pressed") !== String(pressed))
        button.setAttribute("aria-pressed", String(pressed));
    });
  };

  const form = (turn, button) => {
    const made = docent.element("form", "docent-verdict");
    const set = docent.element("fieldset");
    set.append(docent.element("legend", "", docent.say("feedback.legend")));
    for (const reason of ["wrong", "other", "unsupported", "missing"]) {
      const label = docent.element("label");
      const input = docent.element("input");
      input.type = "checkbox";
      input.value = docent.say(`feedback.${reason}`);
      label.append(input, input.value);
      set.append(label);
    }
    const words = docent.element("label", "docent-words", docent.say("feedback.words"));
    const field = docent.element("textarea");
    field.rows = 2;
    field.maxLength = 1500;
    words.append(field);
    const sent = docent.element("button", "docent-send-verdict", docent.say("feedback.send"));
    const cancel = docent.element("button", "docent-cancel-verdict", docent.say("ask.cancel"));
    cancel.type = "button";
    const row = docent.element("p", "docent-hint", docent.say("feedback.kept"));
    made.append(set, words, row, sent, cancel);
    const away = () => {
      made.remove();
      button.focus();
    };
    cancel.addEventListener("click", away);
    made.addEventListener("keydown", (event) => event.key === "Escape" && away());
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      const ticked = [...set.querySelectorAll(":checked")].map((input) => input.value);
      judge(turn, false, [...ticked, field.value.trim()].filter(Boolean).join("\n"));
      away();
    });
    button.closest(".docent-foot").after(made);
    set.querySelector("input").focus();
  };

  const pressed = (button) => button.getAttribute("aria-pressed") === "true";
  const acts = {
    copy: (turn, button) => copy(kept("copy", turn), button),
    markdown: (turn, button) => copy(kept("markdown", turn), button),
    edit: (turn) => edit(turn, false),
    search: (turn) => edit(turn, true),
    retry: (turn) => busy() || send({ turn, question: kept("question", turn) }),
    earlier: () => busy() || docent.find("#docent-earlier").click(),
    good: (turn, button) => judge(turn, pressed(button) ? null : true),
    bad: (turn, button) => {
      if (docent.find(".docent-verdict")) docent.find(".docent-verdict").remove();
      else if (pressed(button)) judge(turn, null);
      else form(turn, button);
    },
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button");
    if (!target) return;
    const [act, what, turn] = target.id.split("-");
    if (act === "do" && acts[what]) acts[what](Number(turn), target);
    else if (target.matches(".docent-follow")) busy() || send({ question: target.textContent });
    else if (target.matches(".docent-cancel")) {
      put_away();
      put("");
      box().focus();
    } else if (target.matches("#docent-new")) {
      put_away();
      docent.closeReader();
      verdicts.clear();
      docent.page.classList.remove("docent-busy");
    }
    if (target.matches("#docent-send, #docent-new, #docent-chat .example")) docent.write();
  });

  // The answer is told when it is whole, not with every word that comes.
  const chat = docent.find("#docent-chat");
  const quiet = () => {
    const log = docent.find("#docent-chat [role=log]");
    if (log && log.getAttribute("aria-live") !== "off") log.setAttribute("aria-live", "off");
    // Gradio names each message by its Markdown, tags and all; its words are there to be read.
    chat.querySelectorAll("[data-testid][aria-label]").forEach((one) => {
      if (/^(bot|user)$/.test(one.dataset.testid)) one.removeAttribute("aria-label");
    });
    press();
    leave();
  };
  new MutationObserver(quiet).observe(chat, {
    childList: true,
    subtree: true,
    attributeFilter: ["aria-label"],
  });
  quiet();
}
