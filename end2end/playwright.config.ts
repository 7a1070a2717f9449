// How the stories run: in Debian's Chromium, against the Countersign that `./dev test browser` has started.

import { defineConfig } from '@playwright/test';

const inContinuousIntegration = Boolean(process.env.CI);

export default defineConfig({
  testDir: 'stories',
  outputDir: 'test-results',
  // One server, one database, two cores: stories keep apart by their own repositories, not by luck.
  workers: 1,
  forbidOnly: inContinuousIntegration,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.COUNTERSIGN_URL,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
