// Fails when something that we ship or build with has a licence that does not go with MIT OR Apache-2.0.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// Permissive, or (MPL) binding only the files it is on.
const allowed = new Set([
  '0BSD', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'BSD-1-Clause', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'BSL-1.0', 'CC0-1.0',
  'CDLA-Permissive-2.0', 'ISC', 'MIT', 'MIT-0', 'MPL-2.0', 'Unicode-3.0', 'Unlicense', 'Zlib',
]);

const found = [...crates(), ...npmPackages()];
const refused = found.filter(({ licence }) => !licence || !isAllowed(licence));
for (const { name, licence } of refused) console.error(`${name}: ${licence ?? 'no licence'}`);
console.log(`${found.length} packages, ${refused.length} with a licence that is not allowed`);
process.exit(refused.length ? 1 : 0);

function crates() {
  const metadata = JSON.parse(execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], { maxBuffer: 1 << 28 }));
  return metadata.packages.map(({ name, version, license }) => ({ name: `${name} ${version}`, licence: license }));
}

function npmPackages() {
  const { packages } = JSON.parse(readFileSync(new URL('../end2end/package-lock.json', import.meta.url), 'utf8'));
  return Object.entries(packages).filter(([path]) => path).map(([path, { version, license }]) => ({ name: `${path} ${version}`, licence: license }));
}

// An SPDX expression: OR needs one side, AND both; `/` is the old way to write OR.
function isAllowed(expression) {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g);
  let at = 0;
  const result = either();
  if (at !== tokens.length) throw new Error(`This is no SPDX expression: ${expression}`);
  return result;

  function either() {
    let ok = both();
    while (tokens[at] === 'OR') { at++; const right = both(); ok = ok || right; }
    return ok;
  }
  function both() {
    let ok = one();
    while (tokens[at] === 'AND') { at++; const right = one(); ok = ok && right; }
    return ok;
  }
  function one() {
    if (tokens[at] === '(') {
      at++;
      const ok = either();
      if (tokens[at++] !== ')') throw new Error(`This is no SPDX expression: ${expression}`);
      return ok;
    }
    let name = tokens[at++];
    if (tokens[at] === 'WITH') { name += ` WITH ${tokens[at + 1]}`; at += 2; }
    return allowed.has(name);
  }
}
