//! Pages as functions of values.
