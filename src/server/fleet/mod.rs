//! Who is connected now; coordination; the SSH front door.
