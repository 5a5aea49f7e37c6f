//! How a client comes by its configuration: as a value when the program runs, or as a constant when it is built.

use crate::config::Config;
use crate::optional::Optional;

/// A configuration that is settled when the program is built, for firmware: the compiler leaves out what it does not ask
/// for, and the client keeps none of it in memory.
///
/// ```
/// use mqtt_p2p_core::{Client, Config, FixedConfig, Inline};
///
/// #[derive(Debug)]
/// struct Meter;
///
/// impl FixedConfig for Meter {
///     const CONFIG: Config = Config::new().with_keep_alive_secs(30).with_exactly_once(false);
/// }
///
/// let client = Client::fixed(Meter, 42, Inline::<512>::new());
/// assert_eq!(client.config().keep_alive_secs, 30);
/// ```
pub trait FixedConfig: 'static {
    /// The configuration.
    const CONFIG: Config;
}

/// Where a client's configuration comes from: [`Chosen`], or any [`FixedConfig`]. There are no others.
#[expect(private_bounds, reason = "nobody else implements it")]
pub trait Settings: Access {}

impl<C: Access> Settings for C {}

/// A [`Config`] that was chosen when the program runs.
#[derive(Debug)]
pub struct Chosen {
    pub(crate) config: Config,
    pub(crate) optional: Optional<Self>,
}

impl Chosen {
    #[inline(always)]
    pub(crate) const fn new(config: Config) -> Self {
        Self { optional: Optional::of(&config), config }
    }
}

/// What the state machine asks.
pub(crate) trait Access: Sized + 'static {
    fn config(&self) -> &Config;
    fn optional(&self) -> &Optional<Self>;
}

impl Access for Chosen {
    #[inline(always)]
    fn config(&self) -> &Config {
        &self.config
    }

    #[inline(always)]
    fn optional(&self) -> &Optional<Self> {
        &self.optional
    }
}

impl<C: FixedConfig> Access for C {
    #[inline(always)]
    fn config(&self) -> &Config {
        const { &C::CONFIG }
    }

    #[inline(always)]
    fn optional(&self) -> &Optional<Self> {
        const { &Optional::of(&C::CONFIG) }
    }
}
