/** Wire contract: names and numbers of the results of create_accounts. */
export const AccountStatus = {
  created: 0xffff_ffff,
  linked_event_failed: 1,
  linked_event_chain_open: 2,
  imported_event_expected: 22,
  imported_event_not_expected: 23,
  timestamp_must_be_zero: 3,
  imported_event_timestamp_out_of_range: 24,
  imported_event_timestamp_must_not_advance: 25,
  reserved_field: 4,
  reserved_flag: 5,
  id_must_not_be_zero: 6,
  id_must_not_be_int_max: 7,
  exists_with_different_flags: 15,
  exists_with_different_user_data_128: 16,
  exists_with_different_user_data_64: 17,
  exists_with_different_user_data_32: 18,
  exists_with_different_ledger: 19,
  exists_with_different_code: 20,
  exists: 21,
  flags_are_mutually_exclusive: 8,
  debits_pending_must_be_zero: 9,
  debits_posted_must_be_zero: 10,
  credits_pending_must_be_zero: 11,
  credits_posted_must_be_zero: 12,
  ledger_must_not_be_zero: 13,
  code_must_not_be_zero: 14,
  imported_event_timestamp_must_not_regress: 26,
} as const;

/** Wire contract: names and numbers of the results of create_transfers. */
export const TransferStatus = {
  created: 0xffff_ffff,
  linked_event_failed: 1,
  linked_event_chain_open: 2,
  imported_event_expected: 56,
  imported_event_not_expected: 57,
  timestamp_must_be_zero: 3,
  imported_event_timestamp_out_of_range: 58,
  imported_event_timestamp_must_not_advance: 59,
  reserved_flag: 4,
  id_must_not_be_zero: 5,
  id_must_not_be_int_max: 6,
  exists_with_different_flags: 36,
  exists_with_different_pending_id: 40,
  exists_with_different_timeout: 44,
  exists_with_different_debit_account_id: 37,
  exists_with_different_credit_account_id: 38,
  exists_with_different_amount: 39,
  exists_with_different_user_data_128: 41,
  exists_with_different_user_data_64: 42,
  exists_with_different_user_data_32: 43,
  exists_with_different_ledger: 67,
  exists_with_different_code: 45,
  exists: 46,
  id_already_failed: 68,
  flags_are_mutually_exclusive: 7,
  debit_account_id_must_not_be_zero: 8,
  debit_account_id_must_not_be_int_max: 9,
  credit_account_id_must_not_be_zero: 10,
  credit_account_id_must_not_be_int_max: 11,
  accounts_must_be_different: 12,
  pending_id_must_be_zero: 13,
  pending_id_must_not_be_zero: 14,
  pending_id_must_not_be_int_max: 15,
  pending_id_must_be_different: 16,
  timeout_reserved_for_pending_transfer: 17,
  closing_transfer_must_be_pending: 64,
  ledger_must_not_be_zero: 19,
  code_must_not_be_zero: 20,
  debit_account_not_found: 21,
  credit_account_not_found: 22,
  accounts_must_have_the_same_ledger: 23,
  transfer_must_have_the_same_ledger_as_accounts: 24,
  pending_transfer_not_found: 25,
  pending_transfer_not_pending: 26,
  pending_transfer_has_different_debit_account_id: 27,
  pending_transfer_has_different_credit_account_id: 28,
  pending_transfer_has_different_ledger: 29,
  pending_transfer_has_different_code: 30,
  exceeds_pending_transfer_amount: 31,
  pending_transfer_has_different_amount: 32,
  pending_transfer_already_posted: 33,
  pending_transfer_already_voided: 34,
  pending_transfer_expired: 35,
  imported_event_timestamp_must_not_regress: 60,
  imported_event_timestamp_must_postdate_debit_account: 61,
  imported_event_timestamp_must_postdate_credit_account: 62,
  imported_event_timeout_must_be_zero: 63,
  debit_account_already_closed: 65,
  credit_account_already_closed: 66,
  overflows_debits_pending: 47,
  overflows_credits_pending: 48,
  overflows_debits_posted: 49,
  overflows_credits_posted: 50,
  overflows_debits: 51,
  overflows_credits: 52,
  overflows_timeout: 53,
  exceeds_credits: 54,
  exceeds_debits: 55,
} as const;

/**
 * The same numbers for accounts and transfers. On paths that every event takes these are used: a number
 * past 2^31 that is read from an object above is an object of its own for each read.
 */
export const CREATED = 0xffff_ffff;
export const LINKED_EVENT_FAILED = 1;
export const LINKED_EVENT_CHAIN_OPEN = 2;

/**
 * Results that stay among servers; a client never sees one. They share the status word, so they
 * stand where no public status can come.
 */
export const InternalStatus = {
  /** Reserved in the home unit; the outcome comes with the Complete of (unit, sequence). */
  crossing_opened: 0xffff_ff00,
  /** The id belongs to an open crossing: ask again after its Complete. Nothing was burnt. */
  in_flight: 0xffff_ff01,
  /** This unit doesn't own the debit account's slot: ask the unit that does. */
  wrong_unit: 0xffff_ff02,
  /** A decide for a sequence that its home unit has acknowledged as finished. Nothing was done. */
  decision_forgotten: 0xffff_ff03,
  /** A complete for a crossing that is no longer open. Nothing was done. */
  already_complete: 0xffff_ff04,
  /** Anything but a plain transfer would touch two units. Its gateway should have refused it; nothing was done. */
  not_across_units: 0xffff_ff05,
  /** An expire for what is resolved or not due. Nothing was done. */
  not_expired: 0xffff_ff06,
} as const;

/** Statuses that depend on passing state: the id is burnt, so that a retry can't succeed by surprise. */
export const TRANSIENT_TRANSFER_STATUSES: readonly number[] = [
  TransferStatus.debit_account_not_found,
  TransferStatus.credit_account_not_found,
  TransferStatus.pending_transfer_not_found,
  TransferStatus.debit_account_already_closed,
  TransferStatus.credit_account_already_closed,
  TransferStatus.exceeds_credits,
  TransferStatus.exceeds_debits,
];
