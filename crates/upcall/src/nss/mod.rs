//! NSS modules, which are third-party shared libraries: queried by `getent`, in processes without rights.

mod getent;
mod process;
mod status;

pub(crate) use getent::GetentModules;
