"use strict";
// Counts the time down, writes times as this device does, prints, and waits for the result. Without it the page says the same.
(() => {
  const find = (css) => document.querySelector(css);
  const page = document.documentElement.lang;
  const primary = (tag) => tag.split("-")[0];
  const locale = navigator.languages.find((tag) => primary(tag) === primary(page)) ?? page;

  const time = find("time");
  if (time) {
    time.textContent = new Date(time.dateTime).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
    time.closest("[hidden]").hidden = false;
  }

  const print = find("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }

  const left = find("[data-left]");
  if (left) {
    const steps = JSON.parse(left.dataset.steps);
    const deadline = Date.now() + Number(left.dataset.left) * 1000;
    const tick = () => {
      const seconds = (deadline - Date.now()) / 1000;
      if (seconds < -1) {
        location.replace(left.dataset.next);
        return;
      }
      const step = steps.findLast(([begin]) => seconds <= begin);
      if (step && left.textContent !== step[1]) left.textContent = step[1];
      setTimeout(tick, 1000);
    };
    tick();
  }

  const waits = find("[data-waits]");
  if (waits) {
    // The server holds each answer for a moment: 204 while nothing has changed.
    const look = (pause) =>
      fetch(waits.dataset.waits)
        .then((answer) => {
          if (answer.status === 204) setTimeout(look, pause, Math.min(pause * 2, 8000));
          else location.replace(waits.dataset.next);
        })
        .catch(() => setTimeout(look, 8000, 8000));
    look(250);
  }
})();
