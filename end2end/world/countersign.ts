// The binary as pipelines and operators run it: each call a process of its own, judged by what it prints and its exit code.

import { execFile, spawn } from 'node:child_process';

import { settings } from './settings';

export type Ended = { code: number; stdout: string; stderr: string };

// Runs it to the end. A pipeline has a server and a token, an operator a database; both are in the environment.
export function countersign(args: string[], { cwd, token }: { cwd?: string; token?: string } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(settings.binary, args, { cwd, env: environment(token), timeout: 30_000 }, (error, stdout, stderr) => {
      const code = !error ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

// The same for what an operator does: it has to work.
export async function operate(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await countersign(args);
  if (code !== 0) throw new Error(`countersign ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout.trim();
}

export function createToken(name: string, repositories: string, scopes = 'submit,gate'): Promise<string> {
  return operate('token', 'create', '--name', name, '--scope', scopes, '--repository', repositories, '--expires', '1d');
}

// A process that goes on while the story does.
export class Running {
  readonly ended: Promise<Ended & { at: number }>;
  private isRunning = true;

  constructor(args: string[], token: string) {
    const child = spawn(settings.binary, args, { env: environment(token), stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => { stdout += chunk; });
    child.stderr.on('data', (chunk) => { stderr += chunk; });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', () => { this.isRunning = false; });
      child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr, at: Date.now() }));
    });
    this.stop = () => child.kill();
  }

  readonly stop: () => void;

  get running(): boolean {
    return this.isRunning;
  }
}

function environment(token?: string): NodeJS.ProcessEnv {
  return { ...process.env, COUNTERSIGN_SERVER: settings.url, ...(token && { COUNTERSIGN_TOKEN: token }) };
}
