// What stops `npm start` and is a person's to mend. Called by everything in test/start.

/** One plain sentence that says what is wrong and how to mend it; printed without a stack trace. */
export class Mistake extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "Mistake";
  }
}
