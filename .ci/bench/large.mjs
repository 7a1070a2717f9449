// The most memory that a server holds while it takes in four patches of 20 MB at once, which is as many as it takes.
//
//     node .ci/bench/large.mjs ADDRESS TOKEN REPOSITORY PID
//
// Linux only. The patches are noise, which packs worst; PID is the server's, just started. Five times over, since what the
// first four leave behind counts too.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

const AT_ONCE = 4;
const ROUNDS = 5;
const BYTES = 20_000_000;

const [address, token, repository, pid] = process.argv.slice(2);

const idle = resident("VmRSS");
for (let round = 0; round < ROUNDS; round += 1) {
  const heads = Array.from({ length: AT_ONCE }, () => randomBytes(20).toString("hex"));
  await Promise.all(heads.map(submission).map(taken));
}
const most = resident("VmHWM") - idle;
const sent = AT_ONCE * BYTES;
console.log(`submit-memory ratio ${(most / sent).toFixed(2)} (ours ${mega(most)} MB above ${mega(idle)} MB, reference ${mega(sent)} MB sent)`);

function submission(head) {
  const person = { name: "Ana", email: "ana@halden.example" };
  const base = "0123456789abcdef0123456789abcdef01234567";
  const commit = { sha: head, tree: head, parents: [base], author: person, committer: person, message: "Add noise\n" };
  const change = { repository, key: head, title: "Add noise", target: "main", base, head, commits: [commit] };
  const form = new FormData();
  form.set("change", JSON.stringify(change));
  form.set("patch", new Blob([patch(head)]));
  return form;
}

/** One new file of so many lines of noise that the patch has exactly `BYTES`. */
function patch(blob) {
  const header = (lines) =>
    `diff --git a/noise b/noise\nnew file mode 100644\nindex ${"0".repeat(40)}..${blob}\n--- /dev/null\n+++ b/noise\n@@ -0,0 +1,${lines} @@\n`;
  const line = 102;
  const lines = Math.floor((BYTES - header(1_000_000).length) / line);
  const head = header(lines);
  const rest = BYTES - head.length - lines * line;
  const noise = randomBytes(BYTES).map((byte) => 33 + (byte % 94));
  const all = Buffer.alloc(BYTES);
  all.write(head);
  for (let n = 0, at = head.length; n < lines; n += 1) {
    const end = at + line + (n === 0 ? rest : 0);
    all.set(noise.subarray(at, end), at);
    all.write("+", at);
    all.write("\n", end - 1);
    at = end;
  }
  return all;
}

async function taken(body) {
  const answer = await fetch(`${address}/api/v1/changes`, { method: "PUT", body, headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  if (answer.status !== 201) {
    throw new Error(`${answer.status}: ${text}`);
  }
}

function resident(line) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(status.match(new RegExp(`^${line}:\\s+(\\d+) kB`, "m"))[1]) * 1024;
}

function mega(bytes) {
  return (bytes / 1e6).toFixed(0);
}
