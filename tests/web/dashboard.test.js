// The dashboard as a person meets it. NETROOM_URL is a running dashboard over the campus of the demo whose numbers move;
// NETROOM_CHROMIUM the browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";

const home = process.env.NETROOM_URL;
const PORT = "/device/core-1/port/FortyGigE1%2F0%2F32";
const PAGES = ["/", "/devices", "/device/acc-a1", PORT, "/ports?sort=-in", "/detect", "/search?q=acc", "/help", "/nowhere"];
let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.NETROOM_CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(() => browser?.close());

/** Runs with a page that must neither complain nor ask anybody but the dashboard. */
async function visit(options, work) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1440, height: 1000 }, ...options });
  const complaints = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(home) && !request.url().startsWith("data:")) complaints.push(`asked ${request.url()}`);
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    const expected = message.text().includes("404") && page.url().endsWith("/nowhere");
    if (["error", "warning"].includes(message.type()) && !expected) complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  try {
    await work(page, context);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

/** Until the live stream has delivered. */
const live = (page) => page.waitForSelector("#pulse.on");

for (const [name, options] of [
  ["wide, English, light", { colorScheme: "light" }],
  ["wide, Chinese, dark", { locale: "zh-CN", colorScheme: "dark" }],
  ["phone, Chinese, light", { locale: "zh-CN", colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
]) {
  test(`pages open without a complaint and are legible: ${name}`, async () => {
    await visit(options, async (page) => {
      for (const path of PAGES) {
        await page.goto(home + path);
        if (path === PORT) await page.waitForSelector("#chart[data-points]");
        assert.equal(await page.getAttribute("html", "lang"), options.locale ?? "en");
        const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= screen, `${path} is ${wide} px wide on a screen of ${screen}`);
        await page.evaluate(axe.source);
        const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        const serious = found.violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
        const told = serious.map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
        assert.deepEqual(told, [], path);
      }
    });
  });
}

test("the language switch leads to the same page in the other language, and is remembered", async () => {
  await visit({}, async (page) => {
    await page.goto(`${home}/ports?state=up`);
    await page.click("a[hreflang=zh-CN]");
    assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
    assert.match(page.url(), /state=up/);
    await page.goto(`${home}/devices`);
    assert.equal(await page.textContent("h1"), "设备");
  });
});

test("dark is switched without loading the page anew, and is remembered", async () => {
  await visit({ colorScheme: "light" }, async (page) => {
    await page.goto(home);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.keyboard.press("t");
    assert.equal(await page.getAttribute("html", "data-theme"), "dark");
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.goto(`${home}/help`);
    assert.equal(await ground(), dark);
  });
});

test("the keyboard goes everywhere", async () => {
  await visit({}, async (page) => {
    await page.goto(`${home}/devices`);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    assert.equal(await page.locator("[data-row]:focus-within").count(), 1);
    const second = await page.locator("[data-row] .lead a").nth(1).textContent();
    await Promise.all([page.waitForURL("**/device/**"), page.keyboard.press("Enter")]);
    assert.equal(await page.textContent("h1"), second);
    await Promise.all([page.waitForURL("**/ports"), (async () => { await page.keyboard.press("g"); await page.keyboard.press("p"); })()]);
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "q");
    await page.keyboard.type("core-1");
    await Promise.all([page.waitForURL("**/device/core-1"), page.keyboard.press("Enter")]);
    await Promise.all([page.waitForURL("**/help"), page.keyboard.press("?")]);
    await Promise.all([page.waitForURL((url) => url.pathname === "/"), (async () => { await page.keyboard.press("g"); await page.keyboard.press("o"); })()]);
  });
});

test("numbers move by themselves and leave the reader's place alone", async () => {
  await visit({}, async (page) => {
    await page.goto(`${home}/device/core-1`);
    await live(page);
    const link = page.locator("#ports .lead a").nth(3);
    await link.focus();
    const before = await page.textContent("#ports");
    await page.waitForFunction((text) => document.querySelector("#ports").textContent !== text, before);
    assert.ok(await link.evaluate((element) => element === document.activeElement), "the focus was lost");
  });
});

test("numbers move whichever script comes late", async () => {
  for (const late of ["htmx.min", "hx-sse", "app.", "chart."]) {
    await visit({}, async (page) => {
      await page.route(`**/assets/**${late}*js`, async (route) => {
        await new Promise((done) => setTimeout(done, 400));
        await route.continue();
      });
      await page.goto(home + PORT);
      await live(page);
    });
  }
});

test("the curve of a port moves within a minute, zooms by dragging and returns by a double click", async () => {
  await visit({}, async (page) => {
    const asked = [];
    page.on("request", (request) => request.url().includes("/history?") && asked.push(new URL(request.url())));
    await page.goto(home + PORT);
    await page.waitForSelector("#chart[data-points]");
    await page.waitForSelector("#chart[data-live]", { timeout: 60_000 });
    const first = await page.getAttribute("#chart", "data-live");
    await page.waitForFunction((value) => document.getElementById("chart").dataset.live !== value, first, { timeout: 60_000 });

    const width = (url) => Number(url.searchParams.get("to")) - Number(url.searchParams.get("from"));
    const whole = width(asked.at(-1));
    const over = await page.locator(".u-over").boundingBox();
    const answer = () => page.waitForResponse((response) => response.url().includes("/history?"));
    const zoomed = answer();
    await page.mouse.move(over.x + over.width * 0.4, over.y + 100);
    await page.mouse.down();
    await page.mouse.move(over.x + over.width * 0.6, over.y + 100, { steps: 5 });
    await page.mouse.up();
    await zoomed;
    const share = width(asked.at(-1)) / whole;
    assert.ok(share > 0.17 && share < 0.23, `zoomed to ${share} of the span`);
    const returned = answer();
    await page.locator(".u-over").dblclick({ position: { x: 50, y: 50 } });
    await returned;
    assert.ok(Math.abs(width(asked.at(-1)) / whole - 1) < 0.01);
    const week = answer();
    await page.click("button[data-hours='168']");
    await week;
    assert.ok(Math.abs(width(asked.at(-1)) - 7 * 86_400) < 120);
  });
});

test("the list of ports filters while typing and keeps its address", async () => {
  await visit({}, async (page) => {
    await page.goto(`${home}/ports`);
    await page.fill("#filter input[name=q]", "acc-a1 0/0/7");
    await page.waitForURL(/q=acc-a1/);
    const rows = page.locator("#list tbody tr");
    await page.waitForFunction(() => document.querySelectorAll("#list tbody tr").length === 1);
    assert.match(await rows.first().textContent(), /GigabitEthernet0\/0\/7/);
    assert.equal(await page.inputValue("#filter input[name=q]"), "acc-a1 0/0/7");
    await page.reload();
    assert.equal(await rows.count(), 1);
  });
});

test("everything but movement works without script", async () => {
  await visit({ javaScriptEnabled: false }, async (page) => {
    await page.goto(home + PORT);
    assert.equal(await page.locator("figure.graph > svg").count(), 4);
    assert.ok(await page.locator("#chart").isHidden());
    await page.goto(`${home}/ports`);
    await page.selectOption("#filter select[name=state]", "shut");
    await page.click("#filter button[type=submit]");
    assert.match(page.url(), /state=shut/);
    assert.ok((await page.locator("#list tbody tr").count()) > 0);
    await page.click("a[hreflang=zh-CN]");
    assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
    await page.click("#theme");
    assert.equal(await page.getAttribute("html", "data-theme"), "dark");
  });
});
