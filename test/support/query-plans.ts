// How SQLite would run what a function asks of an object's database: SQLite, EXPLAIN QUERY PLAN. Called by the tests of
// long lists.

/** Runs `use` and returns the plan of each of its queries, a line each. */
export function plansOf(sql: SqlStorage, use: (sql: SqlStorage) => unknown): readonly string[] {
  const plans: string[] = [];
  const recorder = new Proxy(sql, {
    get(target, name) {
      if (name !== "exec") return Reflect.get(target, name) as unknown;
      return (query: string, ...values: SqlStorageValue[]) => {
        const steps = target.exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`, ...values).toArray();
        plans.push(steps.map(({ detail }) => detail).join("; "));
        return target.exec(query, ...values);
      };
    },
  });
  use(recorder);
  return plans;
}
