// What the guard of a consent form must do in a real browser. Called by preview.ts.

import type { Page } from "playwright-core";

/** Whatever the guard of the form at `url` gets wrong: double-click-jacking, keyboard use, a second press. */
export async function guardFindings(page: Page, url: string): Promise<string[]> {
  const findings: string[] = [];
  const expects = (holds: boolean, requirement: string) => {
    if (!holds) findings.push(`guard: ${requirement}`);
  };
  let posts: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") posts.push(request.postData() ?? "");
  });
  // Time stands still but where it is let run, so that a slow machine decides nothing.
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1000);
  const open = async () => {
    await page.goto(url);
    posts = [];
  };
  const settle = () => page.waitForTimeout(150);
  const approve = page.getByRole("button", { name: "Approve", exact: true });
  const deny = page.getByRole("button", { name: "Deny", exact: true });

  await open();
  const box = await approve.boundingBox();
  await page.mouse.click((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
  await settle();
  await page.clock.runFor(690);
  expects(posts.length === 0, "a press within 700 ms does not approve");
  expects((await approve.getAttribute("aria-disabled")) === "true", "Approve says that it is not ready");
  expects((await page.getByRole("status").textContent()) !== "", "the early press is explained");
  await page.clock.runFor(20);
  expects((await approve.getAttribute("aria-disabled")) === null, "Approve says that it is ready");
  await page.mouse.dblclick((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
  await settle();
  expects(
    posts.length === 1 && posts[0]?.includes("decision=approve") === true,
    "a double click approves once",
  );

  await open();
  await page.clock.runFor(701);
  await page.evaluate(() => document.querySelector<HTMLButtonElement>("[value=approve]")?.click());
  await settle();
  expects(posts.length === 0, "a press that no person made does not approve");
  await page.keyboard.press("Tab");
  for (
    let presses = 0;
    presses < 20 && !(await approve.evaluate((it) => it === document.activeElement));
    presses++
  )
    await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await settle();
  expects(posts.length === 1 && posts[0]?.includes("decision=approve") === true, "the keyboard approves");

  await open();
  await deny.click({ delay: 0 });
  await settle();
  expects(posts.length === 1 && posts[0]?.includes("decision=deny") === true, "Deny works at once");
  return findings;
}
