// A change sent over REST, made up in memory: for fields that git or a file system would not let us write.

import { createHash } from 'node:crypto';

import { ana } from './people';
import type { Author } from './repository';
import { settings } from './settings';

export type Submitted = { change: string; number: number; digest: string; url: string };

export type Change = {
  repository: string; key: string; title?: string; url?: string; target?: string; base?: string; head?: string;
  author?: { name?: string; login?: string; email?: string }; tool?: string;
  commits?: { author?: Author; committer?: Author; message?: string }[];
  files?: File[];
};

// `before` makes it a rename; `section` is what git writes behind the numbers of a hunk.
export type File = { name: string; before?: string; content: string; section?: string };

export async function submit(token: string, change: Change): Promise<Submitted> {
  const response = await put(token, change);
  if (!response.ok) throw new Error(`PUT /api/v1/changes answered ${response.status}: ${await response.text()}`);
  return response.json();
}

export async function put(token: string, change: Change): Promise<Response> {
  const form = new FormData();
  form.append('change', new Blob([JSON.stringify(described(change))], { type: 'application/json' }));
  form.append('patch', new Blob([(change.files ?? [aFile]).map(patchOf).join('')], { type: 'application/octet-stream' }));
  // In one piece: a refusal may come before the last part was read, and must not be lost over a pipe that is broken then.
  const { headers, ...encoded } = await written(form);
  return fetch(`${settings.url}/api/v1/changes`, { method: 'PUT', headers: { ...headers, Authorization: `Bearer ${token}` }, ...encoded });
}

async function written(form: FormData) {
  const encoded = new Response(form);
  return { body: await encoded.arrayBuffer(), headers: { 'Content-Type': encoded.headers.get('content-type') ?? '' } };
}

// A commit id nobody else has, always the same for the same words.
export function commitId(...words: unknown[]): string {
  return createHash('sha1').update(JSON.stringify(words)).digest('hex');
}

const aFile = { name: 'payments/retry.ts', content: 'export const retries = 3;\n' };

function described(change: Change) {
  const { repository, key, title = 'Retry settlements', url, target = 'main', tool, commits = [{}] } = change;
  const author = change.author ?? commits[commits.length - 1]?.author ?? ana;
  const base = change.base ?? commitId('base', repository);
  const head = change.head ?? commitId(change);
  const ids = commits.map((_, n) => (n === commits.length - 1 ? head : commitId(head, n)));
  return {
    repository, key, title, url, author, target, base, head, ...(tool && { ai: { tool } }),
    commits: commits.map((commit, n) => ({
      sha: ids[n], tree: commitId('tree', ids[n]), parents: [ids[n - 1] ?? base], author: commit.author ?? ana,
      committer: commit.committer ?? commit.author ?? ana, message: commit.message ?? 'Retry settlements\n', authored_at: '2026-11-20T09:30:00Z',
    })),
  };
}

// What git writes for a new file, or for a renamed one whose first line changed.
function patchOf({ name, before, content, section = '' }: File): string {
  const lines = content.split('\n').slice(0, -1);
  const [old, now] = [quoted('a/', before ?? name), quoted('b/', name)];
  const added = lines.map((line) => `+${line}\n`).join('');
  if (before === undefined) {
    return `diff --git ${old} ${now}\nnew file mode 100644\nindex ${'0'.repeat(40)}..${blobId(content)}\n--- /dev/null\n+++ ${tabbed(now)}\n`
      + `@@ -0,0 +1,${lines.length} @@\n${added}`;
  }
  return `diff --git ${old} ${now}\nsimilarity index 90%\nrename from ${quoted('', before)}\nrename to ${quoted('', name)}\n`
    + `index ${blobId(before)}..${blobId(content)} 100644\n--- ${tabbed(old)}\n+++ ${tabbed(now)}\n@@ -40,1 +40,${lines.length} @@${section && ` ${section}`}\n-before\n${added}`;
}

// git quotes a name with anything but printable ASCII in it, byte by byte.
function quoted(prefix: string, name: string): string {
  const bytes = [...Buffer.from(prefix + name)];
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c)) return prefix + name;
  const escaped = bytes.map((byte) => (byte < 0x20 || byte >= 0x7f || byte === 0x22 || byte === 0x5c
    ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte)));
  return `"${escaped.join('')}"`;
}

// A name with a space that is not quoted ends in a tab, so that tools know where it ends.
function tabbed(name: string): string {
  return name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name;
}

function blobId(content: string): string {
  const bytes = Buffer.from(content);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
