//! What pages are made of: functions of values, and structs where there are many.

pub mod ask;
pub mod avatar;
pub mod badge;
pub mod break_glass;
pub mod button;
pub mod code;
pub mod deed;
pub mod dialog;
pub mod form;
pub mod icon;
pub mod live;
pub mod log;
pub mod markdown;
pub mod may;
pub mod notice;
pub mod pager;
pub mod parameter;
pub mod passkey;
pub mod password;
pub mod place;
pub mod qr;
pub mod quantity;
pub mod quota;
pub mod table;
pub mod time;
