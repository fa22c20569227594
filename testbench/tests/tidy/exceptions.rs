//! What breaks a rule for now. Nothing is added here without a reason on its line; a measure only ever gets smaller.

/// Functions of more than 70 lines: file, function, lines.
pub(crate) const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[
    ("hdl/src/lookup/engine/core.rs", "update", 364), // one state machine over all commands
];

/// Folders of more than 12 entries: folder, entries.
pub(crate) const FULL_FOLDERS: &[(&str, usize)] = &[
    ("hdl/abi/src", 14),             // one file a part of the contract
    ("host/daemon/src", 13),         // two programs, one folder a part
    ("hdl/src", 16),                 // one folder a part of the card, as the architecture has them
    ("hdl/src/emit", 22),            // one file a pass of the back end
    ("host/handover/src", 14),       // one file or folder a codec, one a vocabulary
    ("host/handover/src/pspdu", 16), // one file a type of the standard's module
];
