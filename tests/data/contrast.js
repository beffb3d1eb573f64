// Contrast ratio (WCAG 2) of an element's words, or its ::placeholder's, to what is behind.
selector => {
  const parse = colour => (colour.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = rgb => rgb.slice(0, 3).map(v => v / 255).map(
    v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
  ).reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
  const [query, pseudo] = selector.split("::");
  const element = document.querySelector(query);
  const text = getComputedStyle(element, pseudo && "::" + pseudo);
  let behind = element, back = [0, 0, 0, 0], opacity = Number(text.opacity);
  for (; behind; behind = behind.parentElement) {
    const style = getComputedStyle(behind);
    if (behind !== element) opacity *= Number(style.opacity);
    const colour = parse(style.backgroundColor);
    if (!back[3] && colour[3] !== 0) back = [...colour, 1];
  }
  const front = parse(text.color).slice(0, 3).map((v, n) => v * opacity + back[n] * (1 - opacity));
  const [low, high] = [light(front), light(back)].sort((a, b) => a - b);
  return (high + .05) / (low + .05);
}
