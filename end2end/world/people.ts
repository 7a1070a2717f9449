// Who works at Halden, and how they sign in: at the real provider, by the form that it shows.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';

import { type APIRequestContext, type Page, expect } from '@playwright/test';

import type { Author } from './repository';
import { settings } from './settings';

export type Person = { login: string; name: string; note?: string; groups?: string[]; claims?: Record<string, unknown> };

export const ana = author('ana', 'Ana Sofía Echeverría-Montalbán');
export const mika = author('mika', 'Mika Lindqvist');
export const ben = author('ben', 'Ben Okonkwo');

// Adds somebody to the provider, which reads its file again at each sign-in. The same person again replaces the first.
export function hire(person: Person): void {
  const people: Person[] = JSON.parse(readFileSync(settings.peopleFile, 'utf8'));
  const others = people.filter((one) => one.login !== person.login);
  writeFileSync(`${settings.peopleFile}.new`, JSON.stringify([...others, person]));
  renameSync(`${settings.peopleFile}.new`, settings.peopleFile);
}

// From Countersign's page for strangers through the provider and back, as somebody with a mouse does it.
export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: 'Continue with Halden SSO' }).click();
  await page.getByRole('button', { name }).click();
}

// The same without a browser: what a story needs to have happened, and is not about.
export async function signInQuietly(request: APIRequestContext, login: string): Promise<void> {
  const form = await request.get(`${settings.url}/auth/start?next=/`);
  expect(form.url(), 'the provider asks who comes').toContain(`${settings.providerUrl}/sign-in/`);
  const back = await request.post(form.url(), { form: { login } });
  expect(back.url(), `${login} is signed in`).toBe(`${settings.url}/`);
}

function author(login: string, name: string): Author {
  return { name, email: `${login}@halden.example` };
}
