// How much WebAssembly and JavaScript a page costs, compressed; fails above the budget of docs/PERFORMANCE.md.
//
//   node .ci/page-weight.mjs DIST

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const budget = 150_000;

const dist = process.argv[2];
const files = Object.values(JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8')));
const code = files.filter((file) => /\.(js|wasm)$/.test(file));
const weight = code.reduce((sum, file) => sum + statSync(join(dist, `${file}.br`)).size, 0);

if (code.length === 0) {
  console.error(`${dist} has no WebAssembly and no JavaScript; build it first.`);
  process.exit(1);
}
console.log(`page-weight ${(weight / 1000).toFixed(1)} kB`);
if (weight > budget) {
  console.error(`That is above the budget of ${budget / 1000} kB.`);
  process.exit(1);
}
