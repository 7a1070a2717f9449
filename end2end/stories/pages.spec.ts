// Every page as everybody meets it: on a desk and on a phone, light and dark, by keyboard alone, with and without JavaScript.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page, Response } from '@playwright/test';

import { createToken } from '../world/countersign';
import { decisionsOf } from '../world/database';
import { ana, ben, signInQuietly } from '../world/people';
import { ownRepository, settings } from '../world/settings';
import { type Submitted, submit } from '../world/submission';
import { awake, expect, test, tooWide } from '../world/browser';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const repository = ownRepository('pages');
const assisted = { author: ana, message: 'Read the ledger in batches\n\nCo-authored-by: Claude <noreply@anthropic.com>\n' };

let token: string;
let waiting: Submitted;
let decided: Submitted;
let own: Submitted;

test.beforeAll(async ({ playwright }) => {
  // Who has signed in once is known.
  const request = await playwright.request.newContext();
  await signInQuietly(request, 'ana');
  await request.dispose();
  token = await createToken('pages', repository);
  const files = [
    { name: 'ledger/src/batches.ts', content: 'export const size = 500;\n'.repeat(40) },
    { name: 'ledger/src/größe.ts', before: 'ledger/src/size.ts', content: 'export const two = 2;\n', section: 'function batches() {' },
    { name: 'README.md', content: '# Ledger\n\nBatches of 500.\n' },
  ];
  waiting = await submit(token, { repository, key: 'waiting', author: { ...ana, login: 'ana' }, title: 'Read the ledger in batches', commits: [assisted], files, url: 'https://git.example/142' });
  decided = await submit(token, { repository, key: 'decided', title: 'Round half to even', commits: [assisted] });
  own = await submit(token, { repository, key: 'own', title: 'Name the currency', commits: [{ author: ben }] });
});

// A change that was rejected once and has come again shows most of what a page can show.
test.beforeAll(async ({ playwright }) => {
  const request = await playwright.request.newContext({ baseURL: settings.url });
  await signInQuietly(request, 'li');
  await request.post('/fn/decide', {
    headers: { origin: settings.url, accept: 'application/json' },
    form: { change: decided.change, digest: decided.digest, form_key: crypto.randomUUID(), kind: 'reject', reason: 'Half a cent\nis lost each time.' },
  });
  await request.dispose();
  expect(decisionsOf(decided.change)).toHaveLength(1);
});

const pages: Record<string, () => string> = {
  'queue': () => '/',
  'queue with nothing in it': () => '/?q=nothing-is-called-this',
  'change that waits': () => `/changes/${waiting.change}`,
  'change that was rejected': () => `/changes/${decided.change}`,
  'change that somebody had a hand in': () => `/changes/${own.change}`,
  'change that has moved': () => `/changes/${waiting.change}?moved=${decided.digest}`,
  'decisions': () => '/decisions',
  'decisions that do not match': () => '/decisions?by=nobody-is-called-this',
  'people': () => '/people',
  'repositories': () => '/repositories',
  'reference of the API': () => '/docs',
  'repository': () => `/repositories/${repository}?change=waiting`,
  'address that leads nowhere': () => '/changes/nowhere',
};

for (const [name, address] of Object.entries(pages)) {
  test(`${name}: nobody is kept out, wide or narrow, light or dark`, async ({ as }) => {
    const page = await as('ben');
    await expectOpenToAll(page, address());
  });
}

test('people, as an admin sees them: nobody is kept out, wide or narrow, light or dark', async ({ as }) => {
  await submit(token, { repository, key: 'stranger', author: { name: 'Jo', email: 'jo@nowhere.example' }, commits: [{ author: { name: 'Jo', email: 'jo@nowhere.example' } }] });
  const page = await as('grace');
  await page.goto('/people');
  await expect(page.getByRole('textbox', { name: 'Who jo@nowhere.example is' })).toBeVisible();
  await expectOpenToAll(page, '/people');
});

test('deliveries of code hosts, as an admin sees them: nobody is kept out, wide or narrow, light or dark', async ({ as }) => {
  const page = await as('grace');
  await expectOpenToAll(page, '/deliveries');
});

test('a repository, as an admin sees it: nobody is kept out, wide or narrow, light or dark', async ({ as }) => {
  const page = await as('grace');
  await page.goto(`/repositories/${repository}?rollout=1`);
  await page.getByRole('textbox', { name: 'Policy, in TOML' }).fill('version = 1\n[[rul]]\n');
  await page.getByRole('button', { name: 'Check and try' }).click();
  await expect(page.getByText('line 2, column 3')).toBeVisible();
  await expectOpenToAll(page, `/repositories/${repository}?draft=1&rollout=1`);
});

for (const [name, address] of Object.entries({ 'sign-in': '/sign-in?next=%2Fdecisions', 'sign-in that failed': '/sign-in?failed=lost' })) {
  test(`${name}: nobody is kept out, wide or narrow, light or dark`, async ({ asStranger }) => {
    const page = await asStranger();
    await expectOpenToAll(page, address);
  });
}

test('what opens over a page keeps nobody out either', async ({ as }) => {
  const page = await as('ben');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(sizes.phone);
    for (const opener of ['Ben Okonkwo', 'Files', 'Facts and marks']) {
      await page.goto(`/changes/${waiting.change}`);
      await page.getByRole('button', { name: opener }).click();
      await expect(page.locator(':popover-open')).toBeVisible();
      expect(await violations(page), `${opener}, ${colorScheme}`).toEqual([]);
      await page.keyboard.press('Escape');
      await expect(page.locator(':popover-open')).toHaveCount(0);
    }
  }
});

test('a keyboard alone leads from the queue through the change to a decision', async ({ as }) => {
  const { change } = await submit(token, { repository, key: 'by-keyboard', title: 'Decide by keyboard' });
  const page = await as('li');
  await page.goto('/?q=keyboard');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeInViewport();
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('link', { name: 'Decide by keyboard' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Decide by keyboard');
  await awake(page);
  await tabTo(page, page.getByRole('textbox', { name: 'Reason' }));
  await page.keyboard.type('Read with both hands on the keys.');
  await tabTo(page, page.getByRole('button', { name: 'Approve' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Approved');
  expect(decisionsOf(change)).toMatchObject([{ kind: 'approve', person: 'li', reason: 'Read with both hands on the keys.' }]);
});

test('queue, change and decisions can be read and filtered without JavaScript', async ({ as }) => {
  const page = await as('li', { javaScriptEnabled: false });
  await page.goto('/');
  const main = page.getByRole('main');
  await page.getByRole('textbox', { name: 'Filter changes' }).fill(`repo:${repository} is:assisted batches`);
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/\/\?q=repo%3A/);
  await expect(main.getByRole('listitem')).toHaveCount(1);
  await expect(main.getByRole('listitem')).toContainText('Ana Sofía Echeverría-Montalbán');
  await main.getByRole('link', { name: 'Read the ledger in batches' }).click();
  await expect(page.getByRole('region', { name: 'batches.ts' })).toContainText('export const size = 500;');
  await expect(page.getByRole('complementary', { name: 'Facts' })).toContainText('Claude Code');
  // An address and a login of one person lead to that person.
  await expect(page.getByRole('complementary', { name: 'Facts' })).not.toContainText('could be');

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Decisions' }).click();
  await page.getByLabel('Kind').selectOption('reject');
  await page.getByLabel('Repository').fill(repository);
  await page.getByRole('button', { name: 'Show' }).click();
  const [, day, row, ...others] = await page.getByRole('row').all();
  await expect(day).toContainText(String(new Date().getUTCFullYear()));
  await expect(row).toContainText('Li Na Zhou');
  await expect(row).toContainText('Half a cent\nis lost each time.');
  expect(others).toEqual([]);
});

test('the address holds the filter exactly, so that a link can be shared', async ({ as }) => {
  const page = await as('li');
  for (const asked of ['100%', 'a+b & c=d', '%41', 'größe', 'a#b?c']) {
    await page.goto('/');
    await page.getByRole('textbox', { name: 'Filter changes' }).fill(asked);
    await page.getByRole('textbox', { name: 'Filter changes' }).press('Enter');
    await expect(page).toHaveURL(/\?q=/);
    await expect(page.getByRole('textbox', { name: 'Filter changes' })).toHaveValue(asked);
    await page.reload();
    await expect(page.getByRole('textbox', { name: 'Filter changes' })).toHaveValue(asked);
  }
});

test('islands wake: colours change at once and stay, and a refusal is said without loading the page again', async ({ as }) => {
  const page = await as('li', { colorScheme: 'light' });
  await page.goto(`/changes/${waiting.change}`);
  await awake(page);
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.getByRole('button', { name: /Li Na Zhou/ }).click();
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByRole('button', { name: 'Dark', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await expect.poll(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor)).not.toBe(paper);
  await expect.poll(async () => (await page.context().cookies()).find(({ name }) => name === 'theme')?.value).toBe('dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');

  await awake(page);
  const loaded = page.waitForEvent('load', { timeout: 2_000 }).then(() => true, () => false);
  await page.getByRole('button', { name: 'Reject' }).click();
  await expect(page.getByRole('alert')).toHaveText('Say why: the author and the record need a reason.');
  expect(await loaded, 'the page was loaded again').toBe(false);
  expect(decisionsOf(waiting.change)).toEqual([]);
});

test('colours can be chosen without JavaScript', async ({ as }) => {
  const page = await as('li', { javaScriptEnabled: false });
  await page.goto('/decisions');
  await page.getByRole('button', { name: /Li Na Zhou/ }).click();
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await expect(page).toHaveURL(/\/decisions\??$/);
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('a page is small, comes from here alone, and says that nothing else may run in it', async ({ as }) => {
  const page = await as('li');
  const responses: Response[] = [];
  page.on('response', (response) => responses.push(response));
  for (const address of ['/', `/changes/${waiting.change}`, '/decisions']) {
    responses.length = 0;
    const answer = await page.goto(address);
    await awake(page);
    const headers = await answer?.allHeaders() ?? {};
    const nonce = /script-src 'nonce-([^']+)'/.exec(headers['content-security-policy'])?.[1];
    expect(nonce?.length, 'a nonce').toBeGreaterThan(20);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe-inline');
    const again = await page.request.get(address);
    expect(again.headers()['content-security-policy'], 'a nonce is used once').not.toContain(nonce);

    const assets = responses.filter((response) => new URL(response.url()).pathname.startsWith('/pkg/'));
    for (const asset of assets) expect(asset.headers()['cache-control'], asset.url()).toContain('immutable');
    const code = assets.filter((asset) => /\.(js|wasm)$/.test(new URL(asset.url()).pathname));
    if (address === '/') {
      expect(code.length).toBe(2);
      const bytes = await Promise.all(code.map(async (asset) => (await asset.request().sizes()).responseBodySize));
      expect(bytes.reduce((sum, size) => sum + size, 0), 'bytes of WebAssembly and JavaScript on the wire').toBeLessThan(150_000);
    }
    expect(new Set(responses.map((response) => new URL(response.url()).origin))).toEqual(new Set([settings.url]));
  }
});

async function expectOpenToAll(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page, 'nobody was sent elsewhere').toHaveURL(address);
  for (const [where, size] of Object.entries(sizes)) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), `${where}, ${colorScheme}`).toEqual([]);
      expect(await tooWide(page), `${where}: no sideways scrolling`).toEqual([]);
    }
  }
}

// What axe finds against WCAG 2.2 A and AA, as lines that say where. Put into the page from outside, so the page's policy stays as it is.
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(`if (!window.axe) { ${axe} }`);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: Violation[] }> } };
    type Violation = { id: string; nodes: { target: string[]; failureSummary: string }[] };
    const { violations } = await axe.run({ runOnly: tags, resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary.replaceAll('\n', ' ')}`));
  });
}

// Presses Tab until it is there; more often than a page has stops means that it cannot be reached.
async function tabTo(page: Page, wanted: ReturnType<Page['locator']>): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((element) => element === document.activeElement)) {
      await expect(wanted).toBeInViewport();
      return;
    }
  }
  throw new Error('Sixty presses of Tab did not lead there.');
}
