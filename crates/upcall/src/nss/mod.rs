//! NSS modules, which are shared libraries of other people: asked by `getent`, in processes without rights.

mod getent;
mod process;
mod status;

pub(crate) use getent::GetentModules;
