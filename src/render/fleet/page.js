"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const ROW = 26;
  const states = ["ok", "warning", "error", "unexamined"];
  const tones = ["ok", "warn", "bad", "off"];
  const list = at("list"), tall = at("tall"), count = at("count");
  let shown = data.machines;

  // A list of more is no help, and browsers give up on elements that are taller than some ten million points.
  const CHOICES = 500, ROWS = Math.floor(10000000 / ROW);
  const fill = (id, values) => {
    for (const [value, text] of values.slice(0, CHOICES)) at(id).append(new Option(text, value));
    if (values.length <= CHOICES) return;
    const more = new Option(`${values.length - CHOICES} more are not listed here`, "");
    more.disabled = true;
    at(id).append(more);
  };
  const strings = (column) => {
    const seen = new Map();
    for (const machine of data.machines) for (const it of [machine[column]].flat()) seen.set(it, (seen.get(it) || 0) + 1);
    return [...seen].sort((a, b) => b[1] - a[1]).map(([it, number]) => [it, `${data.strings[it]} (${number})`]);
  };
  fill("cause", data.groups.map((group, index) => [index, `${group.code} ${group.title} (${group.machines})`]));
  fill("region", strings(3));
  fill("subnet", strings(4));
  fill("server", strings(6));
  const zones = new Set(data.groups.flatMap((group) => group.zones));
  fill("zone", [...zones].sort().map((zone) => [zone, zone]));
  fill("state", states.map((state, index) => [index, state]));

  const cell = (line, text, className) => {
    const it = document.createElement("span");
    it.textContent = text;
    it.title = text;
    if (className) it.className = className;
    line.append(it);
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 10);
    const last = Math.min(shown.length, ROWS, first + Math.ceil(list.clientHeight / ROW) + 20);
    const lines = [tall];
    for (let index = first; index < last; index += 1) {
      const machine = shown[index];
      const line = document.createElement("div");
      line.className = "line";
      line.style.top = `${index * ROW}px`;
      cell(line, states[machine[5]], `tag ${tones[machine[5]]}`);
      cell(line, machine[0]);
      line.lastChild.title = machine[1] || machine[0];
      cell(line, data.strings[machine[3]]);
      cell(line, data.strings[machine[4]]);
      cell(line, machine[7].map((group) => `${data.groups[group].code} ${data.groups[group].title}`).join("; "));
      lines.push(line);
    }
    list.replaceChildren(...lines);
  };
  const choose = () => {
    const value = (id) => at(id).value;
    const number = (id) => (value(id) === "" ? null : Number(value(id)));
    const [cause, region, subnet, server, state] = ["cause", "region", "subnet", "server", "state"].map(number);
    const [zone, text] = [value("zone"), value("text").toLowerCase()];
    shown = data.machines.filter((machine) =>
      (cause === null || machine[7].includes(cause)) && (region === null || machine[3] === region) &&
      (subnet === null || machine[4] === subnet) && (server === null || machine[6].includes(server)) &&
      (state === null || machine[5] === state) &&
      (zone === "" || machine[7].some((group) => data.groups[group].zones.includes(zone))) &&
      (text === "" || machine[0].toLowerCase().includes(text) || (machine[1] || "").toLowerCase().includes(text)));
    const cut = shown.length > ROWS ? `; the first ${ROWS} are listed` : "";
    count.textContent = `${shown.length} of ${data.machines.length} machines${cut}`;
    tall.style.height = `${Math.min(shown.length, ROWS) * ROW}px`;
    list.scrollTop = 0;
    draw();
  };
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  at("filters").addEventListener("input", choose);
  at("filters").addEventListener("reset", () => setTimeout(choose));
  for (const button of document.querySelectorAll("button.pick")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      at("filters").reset();
      at("cause").value = button.dataset.group;
      choose();
      at("machines").scrollIntoView();
    });
  }
  at("machines").hidden = false;
  document.querySelector("main").dataset.ready = "yes";
  choose();
})();
