// The fields of an admin's form about the policy, read with what is wrong with each. Called by edit-policy.ts.

/** The fields of a form; an empty one is undefined. */
export interface PolicyForm {
  get(name: string): string | undefined;
}

/** By field; the empty name is for what belongs to none. */
export type FieldProblems = Readonly<Record<string, string>>;

/** Reads fields, and notes what is wrong. */
export interface FormReader {
  readonly problems: Record<string, string>;
  text(name: string): string;
  /** A whole number; undefined for an empty field. */
  count(name: string): number | undefined;
  isOn(name: string): boolean;
  lines(name: string): readonly string[];
  words(name: string): readonly string[];
}

/** The reader of one form. */
export function readerOf(form: PolicyForm): FormReader {
  const problems: Record<string, string> = {};
  const text = (name: string): string => form.get(name)?.trim() ?? "";
  return {
    problems,
    text,
    count(name) {
      const value = text(name);
      if (value === "") return undefined;
      if (/^\d{1,10}$/.test(value)) return Number(value);
      problems[name] = "Write a whole number, without spaces or points.";
      return undefined;
    },
    isOn: (name) => text(name) === "yes",
    lines: (name) =>
      text(name)
        .split(/\r\n|\r|\n/)
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    words: (name) =>
      text(name)
        .split(/[\s,]+/)
        .filter((word) => word !== ""),
  };
}

/** A whole number that must be there. */
export function required(form: FormReader, name: string): number | undefined {
  const value = form.count(name);
  if (value === undefined) form.problems[name] ??= "Write a whole number.";
  return value;
}
