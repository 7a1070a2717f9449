// A real git repository in a temporary folder, where nothing of this machine's git settings counts.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Author = { name: string; email: string };

export class Repository {
  readonly folder = mkdtempSync(join(tmpdir(), 'countersign-story-'));

  constructor() {
    this.git('init', '--quiet', '--initial-branch=main');
  }

  // Writes the files, commits them, and says the commit's id.
  commit(author: Author, message: string, files: Record<string, string>): string {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    this.git('add', '--all');
    this.git('-c', `user.name=${author.name}`, '-c', `user.email=${author.email}`, 'commit', '--quiet', '--message', message);
    return this.git('rev-parse', 'HEAD');
  }

  branch(name: string): void {
    this.git('switch', '--quiet', '--create', name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private git(...args: string[]): string {
    const env = { PATH: process.env.PATH, HOME: this.folder, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync('git', args, { cwd: this.folder, env, encoding: 'utf8' }).trim();
  }
}
