// Whether the questions of agents are kept for admins to read: the policy's fields for it, and the sentence that people
// see while they are. Part of the policy page, the consent page and /account/calls.

import { Field, YesNo, type FormState } from "./policy-fields.tsx";

/** What the setting does, told to the admin who sets it. */
export const CONTENT_TEXT =
  "Off, the ledger has no question and no answer in it. On, the arguments of each paid call are kept, sealed, for as many days as you say; answers are not, nor calls that the gateway refuses. An admin can read one call at a time on the page of its connection, and the audit notes who did. They are in no download. People are told on the page where they approve an agent and on the page of their calls. Switched off, nothing that was kept can be read any more, also if you switch it on again; each connection deletes it at its next paid call, and at the latest within a day.";

/** The fields. */
export function PolicyContent({ form }: { form: FormState }) {
  return (
    <>
      <YesNo form={form} name="content.keep" label="Keep what agents ask, for admins to read" />
      <Field
        form={form}
        name="content.keepDays"
        label="For how many days"
        hint="From 1 to 90, and never longer than the row of the ledger. Fewer days also hold for what is kept already, more do not."
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
