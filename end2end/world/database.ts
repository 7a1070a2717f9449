// Looks into Postgres as the application's own role: what a page says was recorded has to be there.

import { execFileSync } from 'node:child_process';

import { settings } from './settings';

export type DecisionRow = {
  seq: number; kind: string; reason: string; level: string; teams: string[]; person: string; head: string; digest: string; revision: number; at: number;
};

// Every decision about a change, in the order in which they were taken.
export function decisionsOf(change: string): DecisionRow[] {
  return rows(`
    select decision.seq, decision.kind, decision.reason, decision.level, decision.teams, person.subject as person, revision.head,
           encode(decision.digest, 'hex') as digest, revision.number as revision, extract(epoch from decision.at) * 1000 as at
    from decision
    join person on person.id = decision.person_id
    join revision on revision.repository_id = decision.repository_id and revision.id = decision.revision_id
    where decision.change_id = :'change'::uuid
    order by decision.seq`, { change });
}

// Whether a token was used: how an observer outside knows that a question has arrived.
export function tokenWasUsed(name: string): boolean {
  return rows<{ used: boolean }>("select last_used_at is not null as used from token where name = :'name'", { name })[0]?.used ?? false;
}

function rows<T = DecisionRow>(query: string, values: Record<string, string>): T[] {
  const variables = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
  const input = `select coalesce(json_agg(row_to_json(found)), '[]') from (${query}) found;`;
  const output = execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...variables, settings.databaseUrl], { input, encoding: 'utf8' });
  return JSON.parse(output);
}
