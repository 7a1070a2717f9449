// What `./dev test browser` tells the stories about the Countersign that it has started.

export const settings = {
  url: required('COUNTERSIGN_URL'),
  binary: required('COUNTERSIGN_BINARY'),
  databaseUrl: required('DATABASE_URL'),
  providerUrl: required('PROVIDER_URL'),
  peopleFile: required('PEOPLE_FILE'),
};

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the stories by ./dev test browser`);
  return value;
}

// Stories keep apart by their repositories: from each other, and from those of an earlier run on the same database.
export function ownRepository(name: string): string {
  return `story-${run}/${name}`;
}

const run = Date.now().toString(36);
