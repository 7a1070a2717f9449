// The rarer things that people do here, each in a browser: end a rejection, change a policy together, stand in for somebody, see what was never allowed.

import type { Page } from '@playwright/test';

import { createToken, operate } from '../world/countersign';
import { decisionsOf } from '../world/database';
import { ana, hire, signInQuietly } from '../world/people';
import { ownRepository, settings } from '../world/settings';
import { commitId, submit } from '../world/submission';
import { approve, awake, expect, test, tooWide } from '../world/browser';

const repository = ownRepository('rules');
const phone = { width: 390, height: 844 };
const assisted = { author: ana, message: 'Read the ledger in batches\n\nCo-authored-by: Claude <noreply@anthropic.com>\n' };
let token: string;

test.beforeAll(async ({ playwright }) => {
  token = await createToken('rules', repository, 'submit,gate,incidents');
  const request = await playwright.request.newContext();
  await signInQuietly(request, 'ana');
  await request.dispose();
});

test('a rejection by somebody who is gone is set aside, with a reason and without JavaScript, and then the change can be approved', async ({ as }) => {
  hire({ login: 'vera', name: 'Vera Lund', groups: ['eng-senior', 'team-platform'] });
  const { url, change } = await submit(token, { repository, key: 'set-aside', commits: [assisted] });
  const vera = await as('vera', { javaScriptEnabled: false });
  await vera.goto(url);
  await vera.getByRole('textbox', { name: 'Reason' }).fill('Batches of 500 are too many.');
  await vera.getByRole('button', { name: 'Reject' }).click();
  await expect(verdict(vera)).toContainText('Rejected');
  await operate('person', 'deactivate', 'vera');

  const page = await as('li', { javaScriptEnabled: false });
  await page.goto(url);
  await page.getByText('Set aside the rejection by Vera Lund').click();
  const form = page.locator('details', { hasText: 'Set aside the rejection by Vera Lund' });
  await form.getByRole('button', { name: 'Set aside' }).click();
  await expect(verdict(page), 'it takes a reason').toContainText('Rejected');
  await form.getByRole('textbox', { name: 'Why it should not stand' }).fill('Measured: 500 is fine.');
  const none = form.getByRole('checkbox');
  if (await none.count()) await none.check();
  await form.getByRole('button', { name: 'Set aside' }).click();
  await expect(verdict(page)).toContainText('Waiting');
  await approve(page);
  await expect(verdict(page)).toContainText('Approved');
  expect(decisionsOf(change)).toMatchObject([
    { kind: 'reject', person: 'vera' }, { kind: 'set_aside', person: 'li', reason: 'Measured: 500 is fine.' }, { kind: 'approve', person: 'li' },
  ]);
});

test('a mark that is wrong is disputed by its author and decided by a senior, and what is left is of unknown origin', async ({ as }) => {
  const { url, change } = await submit(token, { repository, key: 'dispute', author: { ...ana, login: 'ana' }, commits: [assisted] });
  const author = await as('ana', { javaScriptEnabled: false });
  await author.goto(url);
  const dispute = author.locator('details', { hasText: 'Dispute a mark' });
  await dispute.getByText('Dispute a mark').click();
  await expect(dispute.getByRole('combobox', { name: 'The mark' })).toContainText('1: Claude Code');
  await dispute.getByRole('textbox', { name: 'Why it is wrong' }).fill('The message is that of another commit.');
  await dispute.getByRole('button', { name: 'Dispute' }).click();
  await expect(doubts(author)).toHaveText('disputed by Ana Sofía Echeverría-Montalbán: The message is that of another commit.');
  await expect(author.getByText('Decide about the disputed mark'), 'it is for others to decide').toHaveCount(0);
  await expect(origin(author), 'a word alone changes nothing').toHaveText('Claude Code');

  const page = await as('ben');
  await page.goto(url);
  await awake(page);
  const settle = page.locator('details', { hasText: 'Decide about the disputed mark 1: Claude Code' });
  await settle.getByText('Decide about the disputed mark').click();
  await settle.getByRole('textbox', { name: 'Why' }).fill('It is the message of 4f1c9aa, word for word.');
  await settle.getByRole('button', { name: 'It is wrong' }).click();
  await expect(doubts(page)).toContainText('wrong, and counts no more: Ben Okonkwo');
  await expect(origin(page)).toHaveText(/unknown/);
  await expect(verdict(page)).toContainText('Waiting');
  expect(decisionsOf(change)).toMatchObject([{ kind: 'dispute_mark', person: 'ana' }, { kind: 'mark_wrong', person: 'ben' }]);
});

test('a policy that asks for less takes a second admin', async ({ as }) => {
  hire({ login: 'olu', name: 'Olu Adeyemi', groups: ['countersign-admins'] });
  const name = ownRepository('policy');
  const own = await createToken('policy', name);
  await submit(own, { repository: name, key: '1', author: { ...ana, login: 'ana' }, commits: [assisted] });
  const grace = await as('grace');
  await grace.goto(`/repositories/${name}`);
  await grace.getByRole('textbox', { name: 'Policy, in TOML' }).fill(
    'version = 1\n[[rule]]\nname = "Large"\nwhen = { more_lines = 1000 }\nrequire = [{ approvals = 1, level = "senior" }]\n',
  );
  await grace.getByRole('button', { name: 'Check and try' }).click();
  await grace.getByRole('textbox', { name: 'Note' }).last().fill('Small changes pass.');
  await grace.getByRole('button', { name: 'Propose to another admin' }).click();
  // Whoever wrote it cannot confirm it.
  await expect(grace.getByRole('button', { name: 'Confirm' })).toBeDisabled();

  const olu = await as('olu');
  await olu.goto(`/repositories/${name}`);
  await expect(olu.getByText('Small changes pass.')).toBeVisible();
  await olu.getByRole('button', { name: 'Confirm' }).click();
  await expect(olu.getByRole('button', { name: 'Confirm' })).toHaveCount(0);
  await expect(olu.getByRole('region', { name: 'The policy that holds' })).toContainText('more_lines = 1000');
});

test('who stands in for somebody fills their place, and the decision says for whom', async ({ as }) => {
  const name = ownRepository('stand-ins');
  const own = await createToken('stand-ins', name);
  const { url } = await submit(own, { repository: name, key: '1', author: { ...ana, login: 'ana' }, commits: [assisted] });
  const grace = await as('grace');
  await grace.goto(`/repositories/${name}`);
  await grace.getByRole('textbox', { name: 'Policy, in TOML' }).fill(
    'version = 1\n[[rule]]\nname = "Payments"\nrequire = [{ approvals = 1, level = "senior", team = "payments" }]\n',
  );
  await grace.getByRole('button', { name: 'Check and try' }).click();
  await grace.getByRole('button', { name: /Put in force|Propose to another admin/ }).click();
  await expect(grace.getByRole('region', { name: 'The policy that holds' })).toContainText('team = "payments"');

  const li = await as('li');
  await li.goto(url);
  await expect(li.getByRole('button', { name: 'Approve' }), 'li is in another team').toBeDisabled();

  const ben = await as('ben');
  await ben.goto('/people');
  await ben.getByRole('textbox', { name: 'Who stands in' }).fill('li');
  await ben.getByRole('textbox', { name: 'Repositories' }).fill(name);
  await ben.getByLabel('Last day').fill(new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  await ben.getByRole('textbox', { name: 'Why' }).fill('On holiday');
  await ben.getByRole('button', { name: 'Let them stand in' }).click();
  await expect(ben.getByText('Li Na Zhou stands in for you')).toBeVisible();

  await li.goto(url);
  await approve(li);
  await expect(verdict(li)).toContainText('Approved');
  await expect(li.getByText('standing in for Ben Okonkwo')).toBeVisible();
  await ben.getByRole('button', { name: /^End it/ }).click();
  await expect(ben.getByText('Nobody stands in for anybody here now.')).toBeVisible();
});

test('what was deployed without having been allowed stands on the first page until somebody has read it', async ({ as }) => {
  const title = 'Deployed in a hurry';
  const { url, change } = await submit(token, { repository, key: 'deployed', title, commits: [assisted] });
  const head = decidedHead('deployed', title);
  const reported = await fetch(`${settings.url}/api/v1/deployments`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ repository, environment: 'production', commits: [head], when: new Date().toISOString(), key: 'run-1' }),
  });
  expect(reported.status).toBe(201);
  const page = await as('ben');
  await page.goto('/');
  const owed = page.getByRole('region', { name: 'Deployed without having been allowed' });
  await expect(owed.getByRole('link', { name: title })).toBeVisible();
  await page.goto(url);
  await approve(page);
  await expect(verdict(page)).toContainText('Approved');
  await page.goto('/');
  await expect(owed.getByRole('link', { name: title })).toHaveCount(0);
  expect(decisionsOf(change)).toMatchObject([{ kind: 'approve' }]);
});

test('keys that are pressed before the page is awake are not lost', async ({ as }) => {
  await submit(token, { repository, key: 'keys', title: 'Turnstile', commits: [assisted] });
  const page = await as('li');
  let release = () => {};
  const held = new Promise<void>((go) => { release = go; });
  await page.route('**/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto('/?q=turnstile');
  await page.keyboard.press('j');
  await page.keyboard.press('o');
  await expect(page).toHaveURL(/\/\?q=/);
  release();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Turnstile');
});

test('what has the focus is never behind the form, on a phone', async ({ as }) => {
  const { url } = await submit(token, {
    repository, key: 'focus', commits: Array.from({ length: 30 }, (_, n) => ({ ...assisted, message: `Commit ${n}\n\nCo-authored-by: Claude <noreply@anthropic.com>\n` })),
  });
  const page = await as('li');
  await page.setViewportSize(phone);
  await page.goto(url);
  await awake(page);
  const seen = new Set<string>();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(whatHasTheFocus);
    if (!focus) break;
    expect(focus.hidden, focus.what).toBe(false);
    seen.add(focus.what);
  }
  expect(seen.size).toBeGreaterThan(30);
});

test('a long message can be read to its end by keyboard', async ({ as }) => {
  const message = `Long\n\n${'One more line of it.\n'.repeat(200)}`;
  const { url } = await submit(token, { repository, key: 'message', commits: [{ ...assisted, message }] });
  const page = await as('li');
  await page.goto(url);
  await page.locator('summary', { hasText: 'Long' }).first().click();
  const text = page.getByRole('region', { name: 'Message' });
  await text.focus();
  await page.keyboard.press('End');
  await expect.poll(() => text.evaluate((box) => Math.ceil(box.scrollTop + box.clientHeight) >= box.scrollHeight)).toBe(true);
  expect(await text.evaluate((box) => box.scrollHeight > box.clientHeight), 'it was longer than its box').toBe(true);
});

test('a title of wide spaces makes no page wider', async ({ as }) => {
  const title = `Wide${'\u3000'.repeat(300)}end${'\u00a0'.repeat(300)}.`;
  const { url } = await submit(token, { repository, key: 'wide', title, commits: [assisted] });
  const page = await as('li');
  await page.setViewportSize(phone);
  for (const address of [url, `/?q=repo%3A${encodeURIComponent(repository)}`]) {
    await page.goto(address);
    await expect(page.getByText('Wide').first()).toBeVisible();
    expect(await tooWide(page), address).toEqual([]);
  }
});

// What is said of marks: disputed, wrong, standing.
function doubts(page: Page) {
  return page.locator('.doubt');
}

// What wrote it, as the facts say.
function origin(page: Page) {
  return page.locator('.facts dt:text-is("Written by") + dd');
}

function verdict(page: Page) {
  return page.getByRole('region', { name: 'Verdict' });
}

// The head that `submit` makes of such a change.
function decidedHead(key: string, title: string): string {
  return commitId({ repository, key, title, commits: [assisted] });
}

// What has the focus, and whether something else lies over it. None at the end of the page.
function whatHasTheFocus(): { what: string; hidden: boolean } | null {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const box = element.getBoundingClientRect();
  const above = document.elementFromPoint(box.x + Math.min(box.width, innerWidth - box.x) / 2, box.y + Math.min(box.height, 20) / 2);
  const hidden = !(above && (element.contains(above) || above.contains(element)));
  return { what: `${element.outerHTML.slice(0, 100)} at ${Math.round(box.y)} below ${above?.outerHTML.slice(0, 60)}`, hidden };
}
