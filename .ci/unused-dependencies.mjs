// Fails when a package names a dependency that its sources never mention.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

// Dependencies that work by being there, as package/dependency, each with its reason.
const exceptions = {
};

const { packages, workspace_root: root } = JSON.parse(execFileSync('cargo', ['metadata', '--format-version', '1', '--no-deps', '--locked'], { maxBuffer: 1 << 26 }));
const folders = packages.map(({ manifest_path: path }) => dirname(path));
const problems = [];
const named = new Set();

for (const { name, manifest_path: manifest, dependencies } of packages) {
  const source = rustSources(dirname(manifest)).map((path) => readFileSync(path, 'utf8').replace(/^\s*\/\/.*$/gm, '')).join('\n');
  for (const dependency of dependencies) {
    named.add(dependency.name);
    const identifier = (dependency.rename ?? dependency.name).replaceAll('-', '_');
    const mentioned = new RegExp(`\\b${identifier}\\b\\s*(::|;|!| as |,|\\})|extern crate ${identifier}\\b`).test(source);
    const key = `${name}/${dependency.name}`;
    if (!mentioned && !exceptions[key]) problems.push(`${key}: never mentioned in the sources of ${name}`);
    if (mentioned && exceptions[key]) problems.push(`${key}: needs its exception no longer`);
  }
}
for (const dependency of workspaceDependencies()) {
  if (!named.has(dependency)) problems.push(`${dependency}: in [workspace.dependencies], and no package uses it`);
}

for (const problem of problems) console.error(problem);
console.log(`${named.size} dependencies, ${problems.length} unused`);
process.exit(problems.length ? 1 : 0);

// The .rs files of one package, without those of packages that lie inside of it.
function rustSources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return folders.includes(path) || entry.name === 'target' ? [] : rustSources(path);
    return entry.name.endsWith('.rs') ? [path] : [];
  });
}

function workspaceDependencies() {
  const [, section] = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^\[workspace\.dependencies\]\n([^[]*(?:\[[^\]\n]*\][^[]*?)*?)(?=^\[|$(?![\s\S]))/m);
  return [...section.matchAll(/^([\w-]+)\s*=/gm)].map(([, name]) => name);
}
