// A story's browser: somebody signed in, and an eye on everything that no page may ever do, whatever it shows.

import { type APIRequestContext, type BrowserContext, type BrowserContextOptions, type ConsoleMessage, type Page, test as base, expect } from '@playwright/test';

import { signInQuietly } from './people';
import { settings } from './settings';

export { expect };

type Story = {
  // A new page of a browser of their own, signed in at the provider.
  as: (login: string, options?: BrowserContextOptions) => Promise<Page>;
  // The same for nobody.
  asStranger: (options?: BrowserContextOptions) => Promise<Page>;
};

type Everywhere = { sessions: Map<string, SignedIn> };
type SignedIn = Awaited<ReturnType<APIRequestContext['storageState']>>;

// Islands wake when the browser has time; until then a form is a plain one, which works as well.
export async function awake(page: Page): Promise<void> {
  await expect(page.locator('html[data-live]')).toBeAttached();
}

// Presses "Approve", after saying what the form asks where nobody knows some of the contributors.
export async function approve(page: Page): Promise<void> {
  const none = page.getByRole('checkbox', { name: 'None of these is me' });
  if (await none.count()) await none.check();
  await page.getByRole('button', { name: 'Approve' }).click();
}

// What makes a page wider than its window: nothing may, but inside of what scrolls by itself.
export async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const isClipped = (element: Element) => {
      for (let above = element.parentElement; above && above !== document.body; above = above.parentElement) {
        if (getComputedStyle(above).overflowX !== 'visible') return true;
      }
      return false;
    };
    const culprits = [...document.body.querySelectorAll('*')].map((element) => ({ element, right: Math.round(element.getBoundingClientRect().right) }))
      .filter(({ element, right }) => right > clientWidth && !isClipped(element));
    return [`${scrollWidth} of ${clientWidth}`, ...culprits.slice(0, 5).map(({ element, right }) => `${right}: ${element.outerHTML.slice(0, 120)}`)];
  });
}

export const test = base.extend<Story, Everywhere>({
  // Signing in takes several round trips, so people stay signed in from story to story, as they do at work. A story that signs
  // somebody in again or out, which ends the session, begins as a stranger.
  sessions: [async ({}, use) => use(new Map()), { scope: 'worker' }],

  as: async ({ sessions, playwright, asStranger }, use) => {
    await use(async (login, options = {}) => {
      if (!sessions.has(login)) {
        const request = await playwright.request.newContext();
        await signInQuietly(request, login);
        sessions.set(login, await request.storageState());
        await request.dispose();
      }
      return asStranger({ ...options, storageState: sessions.get(login) });
    });
  },

  asStranger: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    const troubles: string[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
      contexts.push(context);
      await watch(context, troubles);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
    expect(troubles, 'no page did what no page may do').toEqual([]);
  },
});

// Script of others, a breach of the policy that keeps it out, an error nobody caught, anything from elsewhere: each ends the story.
async function watch(context: BrowserContext, troubles: string[]): Promise<void> {
  await context.exposeBinding('foreignScriptRan', (_source, where: string) => { troubles.push(`script ran: ${where}`); });
  await context.exposeBinding('policyWasBroken', (_source, what: string) => { troubles.push(`policy broken: ${what}`); });
  await context.addInitScript(() => {
    const { foreignScriptRan, policyWasBroken } = window as unknown as Record<string, (what: string) => void>;
    Object.assign(window, { hit: foreignScriptRan });
    document.addEventListener('securitypolicyviolation', (event) => {
      policyWasBroken(`${event.effectiveDirective} ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  context.on('dialog', async (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  context.on('weberror', (error) => troubles.push(`error: ${error.error().message}`));
  context.on('console', (message) => {
    if (message.type() === 'error' && !isRefusal(message)) troubles.push(`console: ${message.text()}`);
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    const ours = [settings.url, settings.providerUrl].map((url) => new URL(url).origin);
    if (!ours.includes(origin) && protocol !== 'data:') troubles.push(`loaded from elsewhere: ${request.url()}`);
  });
}

// A browser says of every 4xx that something failed to load. For a page or a form that is an answer like any other, for an asset it is not.
function isRefusal(message: ConsoleMessage): boolean {
  return /status of 4\d\d/.test(message.text()) && !new URL(message.location().url).pathname.startsWith('/pkg/');
}
