/** The heads are others than expected. */
export const HEADS_LABEL = "aludel_heads";
/** Rows would name rows that are not there. */
export const ORPHANS_LABEL = "aludel_orphans";
/** A step of several parts is under way, or elsewhere than expected. */
export const RUNNING_LABEL = "aludel_running";
/** A table is other than the revisions say. */
export const DRIFT_LABEL = "aludel_drift";
/** A table that is to go is named by the foreign keys of others. */
export const REFERRED_LABEL = "aludel_referred";
