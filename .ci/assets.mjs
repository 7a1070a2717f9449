// Makes the site: bundles the stylesheet, names every file by its content, and puts a brotli and a gzip copy beside it.
//
//   node .ci/assets.mjs BROWSER STYLE DIST
//
// BROWSER is what wasm-bindgen made, STYLE the stylesheets with style.css and any other files. DIST gets `pkg/` and
// `manifest.json`, which says for each logical name (`countersign.js`, `countersign.css`, `favicon.svg`) where it lies.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const { bundle } = createRequire(new URL('../end2end/package.json', import.meta.url))('lightningcss');

// The oldest browsers that know everything the stylesheet uses (`light-dark()` came last); lightningcss then leaves it as it is.
const targets = { chrome: version(123), firefox: version(120), safari: version(17, 5) };

const [browser, style, dist] = process.argv.slice(2);
const manifest = {};

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'pkg'), { recursive: true });

// The glue is told at run time where the module lies (`init({ module_or_path })`), so neither name depends on the other.
publish('countersign.js', readFileSync(join(browser, 'countersign.js')));
publish('countersign.wasm', readFileSync(join(browser, 'countersign.wasm')));
if (existsSync(join(browser, 'snippets'))) throw new Error('A crate brings JavaScript snippets along; they need a place in dist/ and a route.');

// Files before the stylesheet, which may name them.
for (const path of filesBelow(style)) {
  if (!['.css', '.md'].includes(extname(path))) publish(relative(style, path), readFileSync(path));
}
publish('countersign.css', stylesheet(join(style, 'style.css')));

writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);

function stylesheet(filename) {
  const { code, dependencies } = bundle({ filename, minify: true, targets, analyzeDependencies: true });
  let css = code.toString();
  for (const { type, url, placeholder } of dependencies) {
    const file = type === 'url' && manifest[relative(style, join(style, url))];
    if (!file) throw new Error(`${filename} asks for ${url}, which is no file below ${style}.`);
    css = css.replaceAll(placeholder, basename(file));
  }
  return Buffer.from(css);
}

function publish(name, content) {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const extension = extname(name);
  manifest[name] = `pkg/${basename(name, extension)}-${hash}${extension}`;
  const file = join(dist, manifest[name]);
  writeFileSync(file, content);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const copies = { br: brotliCompressSync(content, { params: quality }), gz: gzipSync(content, { level: 9 }) };
  for (const [encoding, copy] of Object.entries(copies)) {
    // Images and fonts are compressed already.
    if (copy.length < content.length) writeFileSync(`${file}.${encoding}`, copy);
  }
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function version(major, minor = 0) {
  return (major << 16) | (minor << 8);
}
