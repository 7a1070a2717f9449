// Text that others write, in every field that they can write it in: on every page it is text, it changes no layout, and what hides in it is seen.

import type { Page } from '@playwright/test';

import { createToken } from '../world/countersign';
import { decisionsOf } from '../world/database';
import { ana, hire } from '../world/people';
import { ownRepository } from '../world/settings';
import { type Change, type Submitted, commitId, put, submit } from '../world/submission';
import { approve, awake, expect, test, tooWide } from '../world/browser';

// Each knows the field it stands in: if its script ever runs, the story says where.
const payloads: Record<string, (field: string) => string> = {
  'markup': (field) => `<img src=x onerror="hit('${field}')"><b id="injected">bold</b><leptos-island data-component="ThemeSwitch_0"></leptos-island>`,
  'script': (field) => `<script>hit('${field}')</script>`,
  'end of a textarea': (field) => `</textarea></noscript><script>hit('${field}')</script>`,
  'end of a script': (field) => `--></script></title></style><svg onload="hit('${field}')">`,
  'end of an attribute': (field) => `"' autofocus onfocus="hit('${field}')" x='><img src=x onerror=hit(\`${field}\`)>`,
  'javascript address': (field) => `javascript:hit('${field}')`,
  'entities and templates': (field) => `&lt;script&gt;hit('${field}')&lt;/script&gt; {{7*7}} \${hit('${field}')} %3Cscript%3E`,
  'bidirectional': () => 'level \u202e nimda \u2066// if admin \u2069\u2067 \u200f\u061c end',
  'invisible': () => 'pay\u200bments\u2060\u00ad \ufeffad\u200dmin\u180e\u3164 \u{e0041}\u{e007f} a\ufe0f',
  'piled marks': () => `Z${'\u0335\u0489\u0321'.repeat(120)} ก${'\u0e47'.repeat(300)} end`,
  'control': () => 'one\u0000two\u001b[31mred\u0007\u0008\u007f\u0085\u2028\u2029end',
  'long word': () => 'm'.repeat(10_000),
  'long right-to-left word': () => 'א'.repeat(10_000),
};

// As long as a name may be.
const repository = ownRepository(`hostile-${'m'.repeat(160)}`);
let token: string;
// What a change usually looks like, to tell whether another one has moved anything.
let plain: Submitted;

test.beforeAll(async () => {
  token = await createToken('hostile', repository);
  plain = await submit(token, { repository, key: 'plain' });
});

for (const [name, payload] of Object.entries(payloads)) {
  test(`${name}, in every field of a submission and a decision, is text and nothing else`, async ({ as }) => {
    const key = name.replaceAll(' ', '-');
    const submitted = await submit(token, everyField(key, payload));
    const page = await as('ben');
    for (const size of [desktop, phone]) {
      await page.setViewportSize(size);

      await page.goto(`/changes/${plain.change}`);
      const usual = await layout(page);
      await page.goto(submitted.url);
      await awake(page);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(marked(payload('title').slice(0, 1000)));
      await openCommits(page);
      await expectHarmless(page);
      expect(await layout(page), 'nothing stands elsewhere than on a plain change').toEqual(usual);
      expect((await page.getByRole('form', { name: 'Decide' }).boundingBox())?.height, 'the form leaves room for what it is about').toBeLessThan(size.height / 2);

      await page.goto(`/?q=repo:${repository}`);
      await expect(page.getByRole('main').getByRole('link', { name: marked(payload('title')).slice(0, 20) }).first()).toBeVisible();
      await expectHarmless(page);
    }

    // The same as a reason, by the form.
    await page.goto(submitted.url);
    await awake(page);
    const reason = payload('reason').slice(0, 4000);
    await page.getByRole('textbox', { name: 'Reason' }).fill(reason);
    await page.getByRole('button', { name: 'Reject' }).click();
    await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Rejected');
    expect(decisionsOf(submitted.change)).toHaveLength(1);
    for (const size of [desktop, phone]) {
      await page.setViewportSize(size);
      for (const address of [submitted.url, `/decisions?repository=${repository}`]) {
        await page.goto(address);
        await expect(page.getByText(marked(reason).slice(0, 20)).first()).toBeAttached();
        await expectHarmless(page);
      }
    }
  });

  test(`${name} in an address is text and nothing else`, async ({ as, asStranger }) => {
    const value = encodeURIComponent(payload('address').slice(0, 1500));
    const page = await as('li');
    for (const address of [`/?q=${value}`, `/decisions?by=${value}&repository=${value}&kind=${value}`, `/changes/${plain.change}?moved=${value}&file=${value}&__err=${value}`,
      `/changes/${value.slice(0, 200)}`, `/${value.slice(0, 200)}`]) {
      await page.goto(address);
      await expect(page).not.toHaveURL(/sign-in/);
      await expectHarmless(page);
    }
    // A path with a space in it is nobody's path, and is not shown.
    const path = encodeURIComponent(payload('address').slice(0, 900).replaceAll(/[\s\\]|\p{Cc}/gu, ''));
    const stranger = await asStranger();
    for (const address of [`/sign-in?next=/${path}`, `/sign-in?failed=${value}`, `/auth/callback?state=${value}&code=${value}&error=${value}`]) {
      await stranger.goto(address);
      await expectHarmless(stranger);
    }
  });
}

test('names that can be checked are refused instead of shown', async () => {
  for (const [name, payload] of Object.entries(payloads)) {
    const change = { repository, key: 'refused' };
    const fields: Record<string, Change> = {
      'repository': { ...change, repository: `${repository}${payload('repository')}` },
      'base': { ...change, base: payload('base') },
      'head': { ...change, head: payload('head') },
      'url': { ...change, url: payload('url') },
      'target with a space': { ...change, target: `main ${payload('target')}` },
    };
    for (const [field, hostile] of Object.entries(fields)) {
      const response = await put(token, hostile);
      const said = await response.text();
      // A repository that is no name is not this token's either.
      expect([403, 422], `${name} as ${field}: ${said}`).toContain(response.status);
      expect(response.headers.get('content-type'), `${name} as ${field}`).toBe('application/problem+json');
    }
  }
});

test('a person whose name is hostile is shown like everybody else', async ({ as }) => {
  const name = `${payloads['end of an attribute']('name')} ${payloads.bidirectional('name')} ${'m'.repeat(300)}`;
  hire({ login: 'mallory', name, groups: ['eng-senior', 'team-<b id=injected>'], claims: { given_name: name } });
  const submitted = await submit(token, { repository, key: 'mallory' });
  const theirs = await as('mallory');
  await theirs.goto(submitted.url);
  await awake(theirs);
  await approve(theirs);
  await expect(theirs.getByRole('region', { name: 'Verdict' })).toContainText('Approved');
  const others = await as('ana');
  for (const page of [theirs, others]) {
    for (const size of [desktop, phone]) {
      await page.setViewportSize(size);
      for (const address of ['/', submitted.url, '/decisions']) {
        await page.goto(address);
        await expectHarmless(page);
      }
    }
  }
});

for (const [what, markup] of Object.entries({ 'a script': '<script>hit("inside")</script>', 'a handler': '<img src="data:,x" onerror=\'hit("inside")\'>' })) {
  test(`the eye on every page would see ${what} that got in`, async ({ as }) => {
    test.fail(true, 'the policy keeps it from running, and whoever watches is told');
    const page = await as('li');
    await page.route(plain.url, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('</h1>', `</h1>${markup}`) });
    });
    const broken = page.waitForEvent('console', (message) => message.text().includes('Content Security Policy'));
    await page.goto(plain.url);
    await broken;
  });
}

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

// A change in which everything that others can write freely is the payload.
function everyField(key: string, payload: (field: string) => string): Change {
  const person = (field: string) => ({ name: cut(payload(`${field} name`)), email: cut(payload(`${field} email`)) });
  const branch = payload('branch').replaceAll(/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/(?=\/)/g, '').slice(0, 100);
  return {
    repository, key: payload('key').replaceAll(/[^!-~]|[/?#]/g, '').slice(0, 80).concat(key).slice(0, 100),
    title: payload('title').slice(0, 1000),
    url: `https://example.com/${encodeURIComponent(payload('url').slice(0, 200))}?q=${payload('url').slice(0, 300)}`,
    target: `feature/${branch}x`,
    author: { ...person('author'), login: cut(payload('login')) },
    commits: [
      { author: ana, message: `${payload('message')}\n\n${payload('body')}\n\nCo-authored-by: ${cut(payload('trailer'))} <${cut(payload('trailer email'))}>\n` },
      { author: person('commit author'), committer: person('committer'), message: `${payload('subject')}\nAssisted-by: Claude ${cut(payload('model'))}\nCo-authored-by: Claude <noreply@anthropic.com>\n` },
    ],
    files: [
      { name: noNull(`${payload('folder')}/${payload('file name')}.ts`), content: `${inLine(payload('content'))}\n  const after = 1;\n` },
      { name: noNull(`${payload('new name')}`), before: noNull(`before/${payload('old name')}`), content: `${inLine(payload('renamed content'))}\nplain\n`, section: inLine(payload('section')).slice(0, 80) },
    ],
    head: commitId(repository, key),
  };
}

function cut(text: string): string {
  return text.slice(0, 400);
}

function noNull(name: string): string {
  return name.replaceAll('\0', '');
}

function inLine(text: string): string {
  return noNull(text).replaceAll('\n', ' ');
}

// Opens the commits, each with its whole message.
async function openCommits(page: Page): Promise<void> {
  for (const folded of await page.locator('details > summary').filter({ visible: true }).all()) await folded.click();
}

// As the pages write what cannot be seen or reorders others. NUL cannot be stored and is a replacement character by then.
function marked(text: string): string {
  let marks = 0;
  return [...text.replaceAll('\0', '\ufffd')].map((c) => {
    marks = /[\p{Mn}\p{Me}]/u.test(c) ? marks + 1 : 0;
    return hidden.test(c) || marks > 4 ? `U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}` : c;
  }).join('');
}

const hidden = /[\u0001-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;

// No element of theirs, nothing hidden that is not named, and no page wider than the window.
async function expectHarmless(page: Page): Promise<void> {
  const found = await page.evaluate((hiddenSource) => {
    const hidden = new RegExp(hiddenSource, 'u');
    const describe = (element: Element) => element.outerHTML.slice(0, 120);
    const foreign = [...document.querySelectorAll('[id^="injected"], img, iframe, object, embed, base, svg[onload], script, body style, body link, body meta')]
      .filter((element) => !(element instanceof HTMLScriptElement && element.nonce));
    const attributes = [...document.querySelectorAll('*')].flatMap((element) => [...element.attributes].map((attribute) => ({ element, attribute })));
    const handlers = attributes.filter(({ attribute }) => attribute.name.startsWith('on') || /^\s*javascript:/i.test(attribute.value) && attribute.name === 'href');
    const inTheirs = [...document.querySelectorAll('bdi *')].filter((element) => !element.matches('span.hid'));
    const texts: string[] = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node.textContent ?? '');
    // What somebody typed into a field, and where a link leads, stays as it is; neither reorders anything else.
    const read = attributes.filter(({ attribute }) => !['value', 'href', 'action'].includes(attribute.name)).map(({ attribute }) => attribute.value);
    const unmarked = [...texts, ...read].filter((text) => hidden.test(text) || /[\p{Mn}\p{Me}]{5}/u.test(text)).map((text) => JSON.stringify(text.slice(0, 80)));
    return { foreign: foreign.map(describe), handlers: handlers.map(({ element }) => describe(element)), inTheirs: inTheirs.map(describe), unmarked };
  }, hidden.source);
  const where = page.url().slice(0, 200);
  expect(found, where).toEqual({ foreign: [], handlers: [], inTheirs: [], unmarked: [] });
  expect(await tooWide(page), `${where}: no sideways scrolling`).toEqual([]);
}

// Where the fixed parts of the page stand: what is above them may be higher for a long text, but nothing is wider, narrower or gone.
async function layout(page: Page): Promise<Record<string, unknown>> {
  const parts = {
    bar: page.getByRole('banner'), main: page.getByRole('main'), verdict: page.getByRole('region', { name: 'Verdict' }),
    form: page.getByRole('form', { name: 'Decide' }), approve: page.getByRole('button', { name: 'Approve' }),
  };
  const boxes = await Promise.all(Object.entries(parts).map(async ([name, part]) => {
    const box = await part.boundingBox();
    // The form names those whom nobody knows, in as many lines as that takes, up to three.
    const height = ['bar', 'approve'].includes(name) ? box?.height : undefined;
    return [name, box && { x: Math.round(box.x), width: Math.round(box.width), height: height && Math.round(height) }] as const;
  }));
  return Object.fromEntries(boxes);
}
