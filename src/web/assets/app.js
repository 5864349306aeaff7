// Keys, theme, and the mark that says whether the numbers are live. Everything else works without script.
(() => {
  "use strict";
  const root = document.documentElement;
  const typing = (element) => element && (element.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName));

  // Light and dark without loading the page anew; the address of the switch does the same without script.
  const themes = ["system", "dark", "light"];
  const themeSwitch = document.getElementById("theme");
  const nextTheme = () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    root.dataset.theme = next;
    document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
    document.dispatchEvent(new CustomEvent("netroom:theme"));
  };
  themeSwitch?.addEventListener("click", (event) => {
    event.preventDefault();
    nextTheme();
  });

  // The live mark.
  const pulse = document.getElementById("pulse");
  const show = (live) => {
    if (!pulse) return;
    const text = live ? pulse.dataset.on : pulse.dataset.off;
    pulse.classList.toggle("on", live);
    pulse.classList.toggle("off", !live);
    if (pulse.textContent !== text) pulse.textContent = text;
  };
  if (document.getElementById("stream")) {
    document.addEventListener("htmx:sse:after:connection", () => show(true));
    document.addEventListener("htmx:sse:after:message", () => show(true));
    document.addEventListener("htmx:sse:error", () => show(false));
  }

  // j and k walk over rows: the focus is the place, so live renewal cannot lose it.
  const walk = (step) => {
    const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
    if (!rows.length) return;
    const here = rows.indexOf(document.activeElement?.closest("[data-row]"));
    const next = rows[Math.min(Math.max(here + step, 0), rows.length - 1)];
    (next.querySelector(".lead a") ?? next.querySelector("a"))?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  const places = { o: "/", d: "/devices", p: "/ports" };
  let waitingForPlace = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const isPlace = event.timeStamp - waitingForPlace < 1500;
    waitingForPlace = 0;
    if (isPlace && places[event.key]) {
      location.assign(places[event.key]);
      return;
    }
    switch (event.key) {
      case "/":
        event.preventDefault();
        document.getElementById("q")?.focus();
        break;
      case "g":
        waitingForPlace = event.timeStamp;
        break;
      case "j":
        walk(1);
        break;
      case "k":
        walk(-1);
        break;
      case "t":
        nextTheme();
        break;
      case "?":
        location.assign("/help");
        break;
    }
  });
})();
