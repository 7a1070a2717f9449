// Fails where the sources break one of the design's invariants that a compiler cannot hold: SQL lives only in `store`, the rules are
// pure, and nothing is loaded from elsewhere.

import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const invariants = [
  {
    says: 'only server/store contains SQL',
    files: rust('app', 'server/src'),
    forbids: [/\bsqlx::query/, /\bquery(_as|_scalar)?!\(/, /"\s*(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from)\s/is],
  },
  {
    says: 'SQL is checked when it is compiled; what cannot be says why beside AssertSqlSafe',
    files: rust('server/store/src'),
    forbids: [/\bsqlx::query(_as|_scalar)?(::<[^(]*>)?\(\s*&?format!/],
  },
  {
    says: 'app/domain is pure: no async, no input or output, no clock, no chance',
    files: rust('app/domain/src').filter((file) => !/\/tests(\.rs|\/)/.test(file)),
    forbids: [/\basync\s+fn\b/, /\.await\b/, /\bstd::(fs|net|process|env|thread)\b/, /\b(SystemTime|Instant|OffsetDateTime)::now/, /\bnow_utc\(\)/, /\bUuid::(now|new)_v\d\(/, /\b(tokio|sqlx|reqwest|axum|leptos)::/],
  },
  {
    says: 'user text is never a child of <textarea> or <noscript> (Leptos does not escape it there)',
    files: rust('app'),
    forbids: [/<(textarea|noscript)\b[^>]*[^/]>\s*(\{|\(|move)/],
  },
  {
    says: 'pages load nothing from another host',
    files: [...filesBelow('style', '.css'), ...filesBelow('style', '.svg')],
    forbids: [/url\(\s*["']?(https?:)?\/\//, /@import\s+["']?(url\()?["']?https?:/],
  },
];

let broken = bypasses();
for (const { says, files, forbids } of invariants) {
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const pattern of forbids) {
      const match = withoutComments(text).match(pattern);
      if (!match) continue;
      broken++;
      const line = withoutComments(text).slice(0, match.index).split('\n').length;
      console.error(`${file}:${line}: ${says}\n    ${match[0].trim().split('\n')[0]}`);
    }
  }
}
console.log(`${invariants.length + 1} invariants, broken ${broken} times`);
process.exit(broken ? 1 : 0);

// Every row of docs/SECURITY.md names a test that is there, and every test with a row's number stands in it.
function bypasses() {
  const table = readFileSync('docs/SECURITY.md', 'utf8');
  const rows = new Map([...table.matchAll(/^\| B(\d+) \|.*$/gm)].map(([row, number]) => [number.padStart(2, '0'), row]));
  const sources = rust('app', 'server').map((file) => withoutComments(readFileSync(file, 'utf8'))).join('\n');
  const tests = new Set([...sources.matchAll(/\bfn (b\d\d_\w+)/g)].map(([, name]) => name));
  const named = new Set([...table.matchAll(/`(b\d\d_\w+)`/g)].map(([, name]) => name));
  const wrong = [
    ...[...Array(22).keys()].map((n) => String(n + 1).padStart(2, '0')).filter((number) => !rows.get(number)?.includes(`\`b${number}_`)).map((number) => `no test stands in row B${Number(number)}`),
    ...[...named].filter((name) => !tests.has(name)).map((name) => `${name} is named and not there`),
    ...[...tests].filter((name) => !rows.get(name.slice(1, 3))?.includes(`\`${name}\``)).map((name) => `${name} is there and not named in its row`),
  ];
  for (const what of wrong) console.error(`docs/SECURITY.md: ${what}`);
  return wrong.length;
}

function rust(...folders) {
  return folders.flatMap((folder) => filesBelow(folder, '.rs'));
}

function filesBelow(folder, extension) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => path.endsWith(extension));
}

// Comments go, line numbers stay.
function withoutComments(text) {
  return text.replace(/^\s*\/\/.*$/gm, '');
}
