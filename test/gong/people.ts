// The company behind the stand-in: its people and what each may see. Called by authorize.ts (who signs in) and
// answers.ts (whose data answers). Made up; only the meaning of seats and of personal access is Gong's.

export interface Person {
  id: string;
  /** Gong's user id, the `uid` of an access token. */
  uid: string;
  name: string;
  /** A2. Collaborators have no paid seat and cannot use the MCP server (documented by Gong). */
  seat: "paid" | "collaborator";
  /** I5. Deactivated by an admin. */
  active: boolean;
  /** K9. Stands in every answer made from this person's data, so that a mix-up of two people shows. */
  canary: string;
}

/** K9. Stands in every answer made with shared access, which reads all data of the company. */
export const COMPANY_CANARY = "CANARY-company-2b9d41";

/** The people of a fresh instance: `ada` and `grace` have paid seats, `collaborator` has none. */
export function defaultPeople(): Map<string, Person> {
  const people: Person[] = [
    person("ada", "Ada Lovelace", "4815162342000000001", "CANARY-ada-7f3a90", "paid"),
    person("grace", "Grace Hopper", "4815162342000000002", "CANARY-grace-c14e57", "paid"),
    person(
      "collaborator",
      "Colin Collaborator",
      "4815162342000000003",
      "CANARY-collaborator-90aa13",
      "collaborator",
    ),
  ];
  return new Map(people.map((each) => [each.id, each]));
}

/** A further person with a paid seat; tests that need many connections need many people. */
export function anotherPerson(id: string, number: number): Person {
  return person(id, id, `48151623420000${String(number).padStart(5, "0")}`, `CANARY-${id}-${number}`, "paid");
}

function person(id: string, name: string, uid: string, canary: string, seat: Person["seat"]): Person {
  return { id, name, uid, canary, seat, active: true };
}
