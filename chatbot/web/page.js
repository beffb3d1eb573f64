// A click (or Enter) on a marker lights up its citation in the panel.
() => {
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest && event.target.closest('a[href^="#cite-"]');
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      const tab = [...document.querySelectorAll('#docent-side button[role="tab"]')].find(
        (button) => button.textContent.trim() === "Sources",
      );
      if (tab) tab.click();
      const light = () => {
        const card = document.getElementById(link.getAttribute("href").slice(1));
        if (!card) return;
        document.querySelectorAll(".docent-lit").forEach((lit) => lit.classList.remove("docent-lit"));
        card.classList.add("docent-lit");
        card.scrollIntoView({ block: "nearest" });
        const mark = card.querySelector("mark");
        if (mark) mark.scrollIntoView({ block: "nearest" });
        card.focus({ preventScroll: true });
      };
      requestAnimationFrame(() => requestAnimationFrame(light));
    },
    true,
  );
}
