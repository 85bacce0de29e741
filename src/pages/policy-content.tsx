// Whether the questions of agents are kept for admins to read: the policy's fields for it, and the sentence that people
// see while they are. Part of the policy page, the consent page and /account/calls.

import { Field, YesNo, type FormState } from "./policy-fields.tsx";

/** What the setting does, told to the admin who sets it. */
export const CONTENT_TEXT =
  "When this is on, what agents ask in paid calls is kept sealed for as many days as you say. Answers and refused calls are never kept. An admin can read one call at a time, and the audit notes who did; no download has them. People are told when they approve an agent and on the page of their calls. When you switch it off, nothing kept can be read again, and it is deleted within a day.";

/** The fields. */
export function PolicyContent({ form }: { form: FormState }) {
  return (
    <>
      <YesNo form={form} name="content.keep" label="Keep what agents ask, for admins to read" />
      <Field
        form={form}
        name="content.keepDays"
        label="For how many days"
        hint="From 1 to 90. Fewer days also shorten what is kept already; more days don't lengthen it."
        inputmode="numeric"
      />
    </>
  );
}

/** Tells people that admins can read what their agents ask; nothing while they can't. */
export function KeptQuestions({ days }: { days: number | undefined }) {
  if (days === undefined) return null;
  return (
    <p>{`Your company keeps the questions that agents send to Gong for ${days} ${days === 1 ? "day" : "days"}, and an admin of this gateway can read them.`}</p>
  );
}
