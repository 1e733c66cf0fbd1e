"use strict";
// The page is whole without this script, which adds a filter and copy buttons.
const rows = [...document.querySelectorAll("#verdicts tbody tr")];
const sections = [...document.querySelectorAll("main > section.scenario")];
const [text, outcome, shown] = ["filter", "outcome", "shown"].map((id) => document.getElementById(id));

function apply() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const scenarios = new Set();
  let count = 0;
  for (const row of rows) {
    const content = row.textContent.toLowerCase();
    const fits = words.every((word) => content.includes(word));
    row.hidden = !fits || (outcome.value !== "" && row.dataset.outcome !== outcome.value);
    if (!row.hidden) {
      count += 1;
      scenarios.add(row.dataset.scenario);
    }
  }
  for (const section of sections) section.hidden = !scenarios.has(section.id);
  shown.textContent = `${count} of ${rows.length} claims shown`;
}

// A filter stands in the address, so that a link can share it; other fragments name a scenario.
function readAddress() {
  const fragment = location.hash.slice(1);
  const parameters = new URLSearchParams(fragment);
  if (parameters.has("filter") || parameters.has("outcome")) {
    text.value = parameters.get("filter") ?? "";
    outcome.value = parameters.get("outcome") ?? "";
    if (outcome.selectedIndex < 0) outcome.value = "";
    apply();
    return;
  }
  const target = sections.find((section) => section.matches(":target"));
  if (target?.hidden) {
    text.value = "";
    outcome.value = "";
    apply();
    target.scrollIntoView();
  }
}

function writeAddress() {
  const parameters = new URLSearchParams();
  if (text.value !== "") parameters.set("filter", text.value);
  if (outcome.value !== "") parameters.set("outcome", outcome.value);
  history.replaceState(null, "", `#${parameters}`);
}

async function copy(button, source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

for (const source of document.querySelectorAll(".sentence")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the sentence");
  button.addEventListener("click", () => copy(button, source));
  source.after(button);
}
for (const control of [text, outcome]) {
  control.addEventListener("input", () => { apply(); writeAddress(); });
}
addEventListener("hashchange", readAddress);
document.getElementById("controls").hidden = false;
apply();
readAddress();
