/** Small things that survive a reload. Works without localStorage too (blocked, or full): then nothing does. */
export interface Store {
  read(key: string): unknown;
  write(key: string, value: unknown): void;
}

/** Values as JSON under "kinora.KEY". What cannot be read is as if it were not there. */
export function browserStore(storage: () => Storage = () => localStorage): Store {
  return {
    read(key) {
      try {
        return JSON.parse(storage().getItem(`kinora.${key}`) ?? 'null');
      } catch {
        return null;
      }
    },
    write(key, value) {
      try {
        storage().setItem(`kinora.${key}`, JSON.stringify(value));
      } catch {
        // The settings are then those of this visit alone.
      }
    },
  };
}

/** An object's field, of whatever came out of a store or a file. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
