// The shelves around the chat: the side list, the views, the settings, files dropped.
// A button of an HTML says what it does in data-act; the HTML that it lies in hears of it
// as the event "docent-act", and tells the server.
() => {
  const find = (selector) => document.querySelector(selector);
  const phone = matchMedia("(max-width: 900px)");

  // --- acts ----------------------------------------------------------------------
  const act = (button, more = {}) => {
    const how = button.dataset.slow ? "submit" : "click";
    const detail = { how, key: "", on: "", value: "", ...button.dataset, ...more };
    const host = button.closest(".docent-acting");
    host?.dispatchEvent(new CustomEvent("docent-act", { detail }));
  };

  // What a button removes may take its focus along: it goes to what stands there then.
  const stay = (button) => {
    const host = button.closest(".docent-acting");
    const place = `[data-act="${button.dataset.act}"][data-key="${button.dataset.key || ""}"]`;
    const seen = new MutationObserver(() => {
      if (document.activeElement !== document.body) return seen.disconnect();
      const next = host.querySelector(place) || host.querySelector("button, a, summary");
      (next || find(".docent-view h2"))?.focus({ preventScroll: true });
    });
    seen.observe(host, { childList: true, subtree: true, attributes: true });
    setTimeout(() => seen.disconnect(), 5000);
  };

  // --- a question in a dialog ------------------------------------------------------
  const ask = (button) => {
    const dialog = document.createElement("dialog");
    dialog.className = "docent-dialog";
    dialog.setAttribute("aria-labelledby", "docent-dialog-title");
    dialog.innerHTML =
      '<form method="dialog"><h2 id="docent-dialog-title"></h2><label><span></span>' +
      '<input type="text" maxlength="300" required dir="auto"></label><div>' +
      '<button type="button" class="docent-text-button"></button>' +
      '<button value="save" class="docent-text-button docent-primary"></button></div></form>';
    const words = find("#docent-nav nav").dataset;
    dialog.querySelector("h2").textContent = button.dataset.ask;
    dialog.querySelector("label span").textContent = button.dataset.label;
    const [cancel, save] = dialog.querySelectorAll("button");
    [cancel.textContent, save.textContent] = [words.cancel, words.save];
    const box = dialog.querySelector("input");
    box.value = button.dataset.value;
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "save" && box.value.trim()) act(button, { value: box.value });
      dialog.remove();
      (button.closest("details")?.querySelector("summary") || button).focus();
    });
    find(".gradio-container").append(dialog);
    dialog.showModal();
    box.select();
  };

  const shut = (menu, focus) => {
    menu.removeAttribute("open");
    if (focus) menu.querySelector("summary").focus();
  };

  document.addEventListener("click", (event) => {
    const menu = event.target.closest?.(".docent-menu");
    document.querySelectorAll(".docent-menu[open]").forEach((one) => one !== menu && shut(one));
    const button = event.target.closest?.("[data-act]");
    if (!button) return;
    if (button.tagName === "A") {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
    }
    if (menu) shut(menu);
    if (button.dataset.ask) return ask(button);
    if (button.dataset.act === "ask") return show("chat", true);
    if (button.dataset.act === "open") {
      opened = button.dataset.key;
      history.pushState(null, "", button.getAttribute("href"));
      leave();
      look();
    }
    stay(button);
    act(button);
  });

  // --- views -----------------------------------------------------------------------
  const views = ["chat", "documents", "settings"];
  let seen = "";

  const mark = () =>
    document.querySelectorAll("#docent-nav a").forEach((link) => {
      const here = link.dataset.view === document.body.dataset.docentView;
      if (here === link.hasAttribute("aria-current")) return;
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });

  const look = () => {
    const view = views.includes(location.hash.slice(1)) ? location.hash.slice(1) : "chat";
    document.body.dataset.docentView = view;
    mark();
    if (view !== seen && view !== "chat") act(find("#docent-nav a"));
    seen = view;
    return view;
  };

  const show = (view, focus) => {
    const place = location.pathname + location.search + (view === "chat" ? "" : `#${view}`);
    if (view !== seen) history.pushState(null, "", place);
    look();
    leave();
    if (!focus) return;
    if (view === "chat") {
      if (matchMedia("(pointer: fine)").matches) find("#docent-ask textarea").focus();
    } else find(`#docent-${view}-title`)?.focus();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#docent-nav a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link.dataset.view, true);
  });

  // --- the side list ---------------------------------------------------------------
  const toggle = () => find(".docent-rail-toggle");
  const isOpen = () => document.body.classList.contains("docent-rail-open");
  const tell = () => {
    const said = { "aria-expanded": String(isOpen()), "aria-label": toggle().dataset[isOpen() ? "opened" : "closed"] };
    for (const [name, value] of Object.entries(said))
      if (toggle().getAttribute(name) !== value) toggle().setAttribute(name, value);
  };
  const open = (on) => {
    document.body.classList.toggle("docent-rail-open", on);
    tell();
  };
  // In another language both come anew, and know neither the view nor whether the list is open.
  for (const [place, again] of [["#docent-nav", mark], ["#docent-toggle", () => tell()]])
    new MutationObserver(again).observe(find(place), { childList: true, subtree: true, attributes: true });
  const leave = () => phone.matches && isOpen() && open(false);
  const remembered = () => !phone.matches && localStorage.getItem("docent-rail") !== "shut";

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".docent-rail-toggle")) {
      open(!isOpen());
      if (!phone.matches) localStorage.setItem("docent-rail", isOpen() ? "open" : "shut");
      else if (isOpen()) find("#docent-nav a").focus();
    } else if (event.target.closest?.("#docent-new")) {
      leave();
      opened = "";
      history.pushState(null, "", location.pathname);
      look();
    } else if (phone.matches && isOpen() && !event.target.closest?.("#docent-rail, dialog")) {
      open(false);
    }
  });
  const measure = () => {
    document.body.classList.toggle("docent-wide", !phone.matches);
    open(remembered());
  };
  phone.addEventListener("change", measure);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || find("dialog[open]")) return;
    const menu = find(".docent-menu[open]");
    if (menu) shut(menu, true);
    else if (phone.matches && isOpen()) {
      open(false);
      toggle().focus();
    }
  });

  // The address names the conversation that is open, as soon as it is kept.
  let opened = ""; // the one that was asked for last
  let listed = null; // the one that the list says is open
  const address = () => {
    const list = find(".docent-thread-list");
    if (!list || list.dataset.current === listed) return;
    listed = opened = list.dataset.current;
    const named = new URLSearchParams(location.search).get("thread") || "";
    if (named === opened) return;
    const query = opened ? `?thread=${encodeURIComponent(opened)}` : "";
    history.replaceState(null, "", location.pathname + query + location.hash);
  };
  new MutationObserver(address).observe(find("#docent-threads"), {
    childList: true,
    subtree: true,
    attributes: true,
  });
  addEventListener("popstate", () => {
    look();
    const wanted = new URLSearchParams(location.search).get("thread") || "";
    if (wanted === opened) return;
    const links = [...document.querySelectorAll(".docent-thread a")];
    const link = links.find((one) => one.dataset.key === wanted);
    opened = wanted;
    if (link) act(link);
    else if (!wanted) find("#docent-new").click();
    else location.reload();
  });

  // --- settings, each a cookie -------------------------------------------------------
  const cookie = (name) =>
    decodeURIComponent(
      document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) || "",
    );
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const theme = cookie("docent-theme");
    document.body.classList.toggle("dark", theme ? theme === "dark" : dark.matches);
  };
  const speak = () => (document.documentElement.lang = window.docent.language);
  dark.addEventListener("change", paint);

  document.addEventListener("change", (event) => {
    const radio = event.target.closest?.("input[data-setting]");
    if (!radio) return;
    const value = radio.value === "system" ? "" : encodeURIComponent(radio.value);
    const age = value ? 31536000 : 0;
    document.cookie = `${radio.name}=${value}; path=/; max-age=${age}; samesite=lax`;
    paint();
    if (radio.name === "docent-language") location.reload();
  });
  const settle = () => {
    const radio = find(`input[name="docent-theme"][value="${cookie("docent-theme") || "system"}"]`);
    if (radio) radio.checked = true;
  };
  new MutationObserver(settle).observe(find("#docent-settings"), { childList: true, subtree: true });

  // --- files -------------------------------------------------------------------------
  const send = (file, onProgress) =>
    new Promise((done) => {
      const request = new XMLHttpRequest();
      const form = new FormData();
      form.append("files", file);
      request.upload.onprogress = (at) => onProgress(at.lengthComputable ? at.loaded / at.total : 0);
      request.onload = () => {
        const wait = request.status === 429 && Number(request.getResponseHeader("retry-after"));
        if (wait) return setTimeout(() => send(file, onProgress).then(done), 1000 * wait);
        if (request.status !== 200) return done({ lost: { name: file.name, status: request.status } });
        done({ file: { path: JSON.parse(request.responseText)[0], orig_name: file.name } });
      };
      request.onerror = () => done({ lost: { name: file.name, status: 0 } });
      request.open("POST", `${window.gradio_config.root}${window.gradio_config.api_prefix}/upload`);
      request.send(form);
    });

  let sending = false;
  const take = async (list) => {
    const box = find(".docent-drop");
    const files = [...list];
    if (sending || !files.length) return;
    sending = true;
    const state = box.querySelector(".docent-sending");
    const [sent, lost] = [[], []];
    for (const file of files) {
      const one = await send(file, (share) => {
        const percent = String(Math.round(100 * share));
        state.textContent = box.dataset.uploading
          .replace("{name}", () => file.name)
          .replace("{percent}", percent);
      });
      if (one.file) sent.push(one.file);
      else lost.push(one.lost);
    }
    state.textContent = "";
    sending = false;
    act(box, { how: "upload", files: sent, lost });
  };

  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(".docent-drop input[type=file]")) return;
    take(event.target.files).then(() => (event.target.value = ""));
  });
  const holdsFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  // Anywhere in the view will do: a file that misses the box would replace the page.
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    find(".docent-drop")?.classList.toggle("docent-over", seen === "documents");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) find(".docent-drop")?.classList.remove("docent-over");
  });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    find(".docent-drop")?.classList.remove("docent-over");
    if (seen !== "documents") show("documents");
    take(event.dataTransfer.files);
  });

  // --- files out ---------------------------------------------------------------------
  window.docentShelves = {
    save: (packed) => {
      if (!packed) return;
      const file = JSON.parse(packed);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file.text], { type: `${file.type};charset=utf-8` }));
      link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    },
  };

  paint();
  speak();
  measure();
  look();
}
