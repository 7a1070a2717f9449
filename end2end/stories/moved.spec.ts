// What is refused, and by the same rule twice: the page says why before, the server after. Nothing refused is ever recorded.

import { randomUUID } from 'node:crypto';

import type { Page } from '@playwright/test';

import { createToken, operate } from '../world/countersign';
import { decisionsOf } from '../world/database';
import { ana, ben, hire, mika, signIn } from '../world/people';
import { ownRepository, settings } from '../world/settings';
import { type Submitted, submit } from '../world/submission';
import { approve, awake, expect, test } from '../world/browser';

const repository = ownRepository('refusals');
let token: string;

test.beforeAll(async () => { token = await createToken('refusals', repository); });

for (const javaScriptEnabled of [true, false]) {
  test(`a decision about a change that has moved is not recorded, and the page says what changed, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async ({
    as,
  }) => {
    const key = javaScriptEnabled ? 'moves' : 'moves-quietly';
    const before = await submit(token, { repository, key, files: [{ name: 'src/retry.ts', content: 'one\n' }, { name: 'src/same.ts', content: 'same\n' }] });
    const page = await as('ben', { javaScriptEnabled });
    await page.goto(before.url);
    if (javaScriptEnabled) await awake(page);

    const after = await submit(token, { repository, key, files: [{ name: 'src/retry.ts', content: 'two\n' }, { name: 'src/same.ts', content: 'same\n' }] });
    await page.getByRole('textbox', { name: 'Reason' }).fill('I read the first one.');
    await approve(page);

    const said = page.getByRole('alert').filter({ has: page.getByRole('heading', { name: 'Nothing was recorded: the change moved while you were reading' }) });
    await expect(said).toContainText('You decided about revision 1. Revision 2 has come since');
    await expect(said.getByText(before.digest.slice(0, 4))).toBeVisible();
    await expect(said.getByText(after.digest.slice(0, 4))).toBeVisible();
    await expect(said.getByRole('listitem')).toHaveText(['src/retry.ts']);
    expect(decisionsOf(before.change)).toEqual([]);

    // Whoever has read what it is now can decide on the spot.
    await page.getByRole('textbox', { name: 'Reason' }).fill('I read the second one.');
    await approve(page);
    await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Approved');
    expect(decisionsOf(before.change)).toMatchObject([{ kind: 'approve', person: 'ben', revision: 2, reason: 'I read the second one.' }]);
  });
}

test('whoever approved before reads only what changed since, and approves on that basis, without JavaScript', async ({ as }) => {
  const kept = { name: 'src/same.ts', content: 'same\n' };
  const before = await submit(token, { repository, key: 'since', files: [{ name: 'src/retry.ts', content: 'one\ntwo\n' }, kept] });
  const page = await as('ben', { javaScriptEnabled: false });
  await page.goto(before.url);
  await approve(page);
  await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Approved');
  const after = await submit(token, { repository, key: 'since', files: [{ name: 'src/retry.ts', content: 'one\nthree\n' }, kept] });

  await page.goto(after.url);
  await page.getByRole('link', { name: 'Only what changed since revision 1, which you approved' }).click();
  await expect(page.getByRole('heading', { name: 'Only what changed since revision 1, which you approved' })).toBeVisible();
  await expect(page.getByText('Not shown: 1 file is byte for byte what you approved.')).toBeVisible();
  await expect(page.locator('s.was')).toHaveText('two');
  await expect(page.locator('ins')).toHaveText('three');
  await expect(page.getByText('same', { exact: true })).toHaveCount(0);
  await page.getByRole('link', { name: 'The whole change' }).click();
  await expect(page.getByText('same', { exact: true })).toBeVisible();

  await page.goBack();
  await approve(page);
  await expect(page.getByText('having read what changed since revision 1, which they had approved')).toBeVisible();
  expect(decisionsOf(after.change)).toMatchObject([{ kind: 'approve', revision: 1 }, { kind: 'approve', revision: 2 }]);
});

test('whoever had a hand in a change sees why they cannot decide, and a form that they forge is refused', async ({ as }) => {
  const submitted = await submit(token, { repository, key: 'own', commits: [{ author: ana, message: `Pair on it\n\nCo-authored-by: ${ben.name} <${ben.email}>\n` }] });
  const page = await as('ben');
  await page.goto(submitted.url);
  await expectBarred(page, /^You had a hand in this change \(.*\), so somebody else has to decide\.$/);
  await expectForgedRefused(page, submitted, 403, 'contributor');
});

test('somebody below senior sees why they cannot decide, and a form that they forge is refused', async ({ as }) => {
  const submitted = await submit(token, { repository, key: 'level' });
  const page = await as('mika');
  await page.goto(submitted.url);
  await expectBarred(page, 'This asks for a senior, and you are known as mid.');
  await expectForgedRefused(page, submitted, 403, 'level_too_low');
});

test('somebody without a level is told so on every page, and a form that they forge is refused', async ({ as }) => {
  hire({ login: 'noor', name: 'Noor Haddad' });
  const submitted = await submit(token, { repository, key: 'no-level' });
  const page = await as('noor');
  await page.goto('/');
  await expect(page.getByRole('status')).toContainText('Your sign-in told us of no groups, so you have no level here.');
  await page.goto(submitted.url);
  await expectBarred(page, /no level of yours is known/);
  await expectForgedRefused(page, submitted, 403, 'level_too_low');
});

test('deactivating somebody ends what they can do at once, also in a session that is open', async ({ as }) => {
  hire({ login: 'nils', name: 'Nils Aaberg', groups: ['eng-senior', 'team-platform'] });
  const submitted = await submit(token, { repository, key: 'deactivated', commits: [{ author: mika }] });
  const page = await as('nils');
  await page.goto(submitted.url);
  await awake(page);
  await expect(page.getByRole('button', { name: 'Approve' })).toBeEnabled();

  await operate('person', 'deactivate', 'nils');
  await approve(page);
  await expect(page.getByRole('alert')).toHaveText('Sign in first.');
  await expectForgedRefused(page, submitted, 401, 'sign_in_needed');

  // Signing in again does not help, and says why.
  await page.goto(submitted.url);
  await page.getByRole('link', { name: 'Continue with Halden SSO' }).click();
  await expect(page.getByRole('alert')).toHaveText('Your account here is not active. An operator can activate it.');

  await operate('person', 'activate', 'nils');
  await page.getByRole('link', { name: 'Continue with Halden SSO' }).click();
  await page.goto(submitted.url);
  await approve(page);
  await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Approved');
  expect(decisionsOf(submitted.change)).toMatchObject([{ seq: 1, person: 'nils' }]);
});

test('a form that another site sends is refused, though the browser is signed in', async ({ as }) => {
  const submitted = await submit(token, { repository, key: 'cross-site' });
  const page = await as('li');
  await page.goto(submitted.url);
  await expect(page.getByRole('button', { name: 'Approve' })).toBeEnabled();
  const origins = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'null' }, {}];
  for (const headers of origins) {
    const { status, problem } = await forge(page, submitted, { headers });
    expect({ headers, status, problem }).toEqual({ headers, status: 403, problem: 'cross_site' });
  }
  expect(decisionsOf(submitted.change)).toEqual([]);
});

test('signing out ends the session here, also for whoever has kept its cookie', async ({ asStranger }) => {
  const page = await asStranger();
  await page.goto('/');
  await signIn(page, 'Li Na Zhou');
  await expect(page.getByRole('heading', { name: 'Your turn' })).toBeVisible();
  const kept = await page.context().storageState();

  await page.getByRole('button', { name: /Li Na Zhou/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in', exact: true })).toBeVisible();

  const thief = await asStranger({ storageState: kept });
  await thief.goto('/decisions');
  await expect(thief).toHaveURL('/sign-in?next=%2Fdecisions');
  // Signed out at the provider too: it asks again who comes.
  await page.getByRole('link', { name: 'Continue with Halden SSO' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in as' })).toBeVisible();
});

test('strangers are led to the sign-in and then to where they were going', async ({ asStranger }) => {
  const { url, change } = await submit(token, { repository, key: 'next' });
  for (const path of [`/changes/${change}`, '/decisions?kind=approve&by=ben', '/?q=repo%3Arefusals']) {
    const page = await asStranger();
    const answer = await page.goto(path);
    expect(answer?.request().redirectedFrom()?.url()).toBe(new URL(path, url).href);
    await expect(page.getByRole('heading', { name: 'Sign in', exact: true })).toBeVisible();
    await signIn(page, 'Ben Okonkwo');
    await expect(page).toHaveURL(path);
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible();
  }
});

test('an address that names another place to go to after the sign-in is ignored', async ({ asStranger }) => {
  const elsewhere = ['//evil.example', 'https://evil.example', '/\\evil.example', '/%09/evil.example', '/\t/evil.example', 'javascript:hit("next")'];
  const page = await asStranger();
  await page.goto(`/sign-in?next=${encodeURIComponent(elsewhere[0])}`);
  await signIn(page, 'Ben Okonkwo');
  await expect(page).toHaveURL('/');
  // Whoever is signed in already goes on at once, and may be sent to the provider and back.
  for (const next of elsewhere.map(encodeURIComponent)) {
    for (const address of [`/sign-in?next=${next}`, `/auth/start?next=${next}`]) {
      await page.goto(address);
      await expect(page, address).toHaveURL(new RegExp(`^${settings.url}/`));
    }
  }
});

async function expectBarred(page: Page, why: string | RegExp): Promise<void> {
  const form = page.getByRole('form', { name: 'Decide' });
  await expect(form.getByText(why)).toBeVisible();
  for (const name of ['Approve', 'Reject']) {
    const button = form.getByRole('button', { name });
    await expect(button).toBeDisabled();
    await expect(button).toHaveAttribute('title', why);
  }
}

// What somebody sends who does not care what the page offers, with the session of the page.
async function expectForgedRefused(page: Page, submitted: Submitted, status: number, problem: string): Promise<void> {
  for (const kind of ['approve', 'reject', 'override']) {
    const refused = await forge(page, submitted, { kind });
    // The form has no override, so what is wrong with one may be said first.
    expect([status, ...(kind === 'override' ? [422] : [])], kind).toContain(refused.status);
    if (kind !== 'override') expect(refused.problem, kind).toBe(problem);
  }
  expect(decisionsOf(submitted.change)).toEqual([]);
}

async function forge(page: Page, { change, digest }: Submitted, { kind = 'approve', headers = { origin: settings.url } as Record<string, string> } = {}) {
  const response = await page.request.post('/fn/decide', {
    headers: { accept: 'application/json', ...headers },
    form: { change, digest, form_key: randomUUID(), kind, reason: 'Forged.' },
  });
  const said = await response.json();
  return { status: response.status(), problem: typeof said === 'string' ? said : Object.keys(said)[0] };
}
