// The main job from outside, on a real repository: submitted, signed off by a senior in a browser, and answered to a pipeline that waits.

import { Running, countersign, createToken } from '../world/countersign';
import { decisionsOf, tokenWasUsed } from '../world/database';
import { ana, signIn } from '../world/people';
import { Repository } from '../world/repository';
import { ownRepository } from '../world/settings';
import { approve, awake, expect, test } from '../world/browser';

for (const javaScriptEnabled of [true, false]) {
  test(`a senior signs a junior's change off and the waiting pipeline goes on, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async ({
    as, asStranger,
  }) => {
    const name = ownRepository(javaScriptEnabled ? 'with-script' : 'without-script');
    await as('ana');
    await as('li');
    const token = await createToken(name, name);
    const waiting = await createToken(`${name} waits`, name, 'gate');
    using work = new Work(name);
    const submit = () => countersign(['submit', '--repository', name, '--key', '142', '--base', 'main', '--head', 'HEAD', '--author', 'ana', '--json'],
      { cwd: work.folder, token });
    const gate = (commit: string) => countersign(['gate', '--repository', name, '--commit', commit], { token });

    // A junior's change, in which a tool had a hand, waits for a senior.
    const first = work.commit(ana, 'Retry settlements that time out\n\nCo-authored-by: Claude <noreply@anthropic.com>', {
      'settlements/retry.ts': 'export const retries = 3;\nexport const pause = 250;\n',
    });
    const submitted = await submit();
    expect(submitted.code, submitted.stderr).toBe(0);
    const { change, url } = JSON.parse(submitted.stdout);
    const asked = await gate(first);
    expect(asked.code).toBe(2);
    expect(asked.stdout).toMatch(/^not allowed: waiting: .*senior.*Li Na Zhou.* could give it\)\n$/);
    const pipeline = work.running(['gate', '--repository', name, '--commit', first, '--wait', '2m'], waiting);
    await expect.poll(() => tokenWasUsed(`${name} waits`)).toBe(true);

    // A senior reads it and approves.
    const page = await asStranger({ javaScriptEnabled });
    await page.goto(url);
    await signIn(page, 'Ben Okonkwo');
    await expect(page).toHaveURL(url);
    if (javaScriptEnabled) await awake(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Retry settlements that time out');
    await expect(page.getByRole('region', { name: 'retry.ts' })).toContainText('export const retries = 3;');
    await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Waiting');
    expect(pipeline.running, 'the pipeline waits while the senior reads').toBe(true);
    await page.getByRole('textbox', { name: 'Reason' }).fill('Retries are bounded.');
    await approve(page);
    await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Approved');

    // The pipeline that waited goes on within a second of it.
    const passed = await pipeline.ended;
    expect(passed.code, passed.stderr).toBe(0);
    expect(passed.stdout).toMatch(/^allowed: approved: /);
    const [approval] = decisionsOf(change);
    expect(approval).toMatchObject({
      seq: 1, kind: 'approve', reason: 'Retries are bounded.', person: 'ben', level: 'senior', teams: ['payments'], head: first, revision: 1,
    });
    expect(passed.at - approval.at, 'milliseconds from decision to answer').toBeLessThan(1000);

    // Another commit closes the gate again.
    const second = work.commit(ana, 'Retry for ever', { 'settlements/retry.ts': 'export const retries = Infinity;\nexport const pause = 0;\n' });
    expect((await submit()).code).toBe(0);
    const again = await gate(second);
    expect(again.code).toBe(2);
    expect(again.stdout).toMatch(/^not allowed: waiting: /);

    // The senior rejects that one, which takes a reason.
    await page.goto(url);
    if (javaScriptEnabled) await awake(page);
    await page.getByRole('button', { name: 'Reject' }).click();
    await expect(page.getByRole('alert')).toHaveText('Say why: the author and the record need a reason.');
    await page.getByRole('textbox', { name: 'Reason' }).fill('This never gives up.');
    await page.getByRole('button', { name: 'Reject' }).click();
    await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('Rejected');
    const rejected = await gate(second);
    expect(rejected.code).toBe(1);
    expect(rejected.stdout).toMatch(/^not allowed: rejected: /);

    const decisions = decisionsOf(change);
    expect(decisions.map(({ seq, kind, reason, person, head, revision }) => ({ seq, kind, reason, person, head, revision }))).toEqual([
      { seq: 1, kind: 'approve', reason: 'Retries are bounded.', person: 'ben', head: first, revision: 1 },
      { seq: 2, kind: 'reject', reason: 'This never gives up.', person: 'ben', head: second, revision: 2 },
    ]);
    await page.goto('/decisions');
    await expect(page.getByRole('row', { name: 'This never gives up.' }).first()).toContainText('Ben Okonkwo');
  });
}

// A checkout on the branch of a change, with the pipelines that ask about it; all of it ends with the story, however that ends.
class Work {
  private readonly repository = new Repository();
  private readonly pipelines: Running[] = [];

  constructor(name: string) {
    this.repository.commit(ana, 'Begin', { 'README.md': `# ${name}\n` });
    this.repository.branch('retry');
  }

  get folder(): string {
    return this.repository.folder;
  }

  commit(...commit: Parameters<Repository['commit']>): string {
    return this.repository.commit(...commit);
  }

  running(args: string[], token: string): Running {
    const pipeline = new Running(args, token);
    this.pipelines.push(pipeline);
    return pipeline;
  }

  [Symbol.dispose](): void {
    for (const pipeline of this.pipelines) pipeline.stop();
    this.repository.remove();
  }
}
