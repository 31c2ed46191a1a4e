//! What a relay does with media, seen by headless participants. One module per behaviour.

mod clinic;

mod addresses;
mod close;
mod forwarding;
mod full_room;
mod keyframes;
mod leaving;
mod outsiders;
mod replaced;
mod undeclared;
