//! Commands that are no request for a clip.

use super::{Desk, fault, off_thread, response_to};
use crate::{
    config::Config,
    daemon::{halt::cancelled, sight::Lookout},
    device::mqtt::Message,
    journal::{Address, Note},
    publication::{
        CancelledJob, Command, Discovery, Fault, Refusal, Reloaded, cancel_command, get_command,
        plain_command,
    },
    request::JobId,
};

impl Desk {
    /// Does what the message commands; `false` if it is none of the commands
    /// here.
    pub(super) async fn take_command(&mut self, message: &Message) -> bool {
        let topic = message.topic.as_str();
        if let Some(sha256) = self.topics.named_in_get(topic) {
            let sha256 = sha256.parse();
            let asked = get_command(&message.payload).and_then(|command| match sha256 {
                Ok(sha256) => Ok(Command {
                    what: (sha256, command.what),
                    transaction: command.transaction,
                }),
                Err(error) => Err(Box::new(Refusal {
                    transaction: command.transaction,
                    error,
                })),
            });
            if let Some(((sha256, range), address)) = self.read(message, "get", asked) {
                self.pull(sha256, range, address).await;
            }
        } else if topic == self.topics.request_capture() {
            let asked = plain_command(&message.payload);
            if let Some(((), address)) = self.read(message, "capture", asked) {
                self.capture(address);
            }
        } else if topic == self.topics.request_cancel() {
            let asked = cancel_command(&message.payload);
            if let Some((id, address)) = self.read(message, "cancel", asked) {
                let result = self.cancel(&id).await.map(|()| CancelledJob {
                    job_id: id.to_string(),
                });
                self.connection.post(response_to(&address, result));
            }
        } else if topic == self.topics.request_reload() {
            let asked = plain_command(&message.payload);
            if let Some(((), address)) = self.read(message, "reload", asked) {
                let result = self.reload_file().await;
                self.connection.post(response_to(&address, result));
            }
        } else if topic == self.topics.request_health_check() {
            let asked = plain_command(&message.payload);
            if let Some(((), address)) = self.read(message, "health_check", asked) {
                self.show_health();
                let health = Ok(self.health());
                self.connection.post(response_to(&address, health));
            }
        } else {
            return false;
        }
        true
    }

    /// Whether the message is from Home Assistant, which has just started then.
    pub(super) fn take_birth(&self, message: &Message) -> bool {
        let discovery = self.config.home_assistant.as_ref();
        let is_status =
            discovery.is_some_and(|discovery| message.topic == discovery.status_topic());
        if is_status && Discovery::is_birth(&message.payload) {
            self.describe();
        }
        is_status
    }

    /// The command and its requester, or `None` after the refusal was answered.
    fn read<T>(
        &self,
        message: &Message,
        command: &str,
        asked: Result<Command<T>, Box<Refusal>>,
    ) -> Option<(T, Address)> {
        match asked {
            Ok(Command { what, transaction }) => {
                Some((what, self.address(message, command, transaction)))
            }
            Err(refusal) => {
                let Refusal { transaction, error } = *refusal;
                self.refuse(&self.address(message, command, transaction), error.fault());
                None
            }
        }
    }

    /// Ends a job that waits at once, and one that is being made before its
    /// next frame; its requesters are told. Returns once it is durable that the
    /// job is not taken up again.
    async fn cancel(&mut self, id: &JobId) -> Result<(), Fault> {
        let (journal, outgoing) = (self.journal.clone(), &self.outgoing);
        if (outgoing.iter().filter_map(|clip| clip.ticket.as_ref())).any(|job| job.id() == id) {
            let message = format!("job {id} is being published already");
            return Err(fault("too_late", message));
        }
        let mut unfinished = self.queue.iter().chain(&self.current);
        let Some(sequence) = (unfinished.find(|job| job.id() == id)).map(|job| job.sequence) else {
            return Err(if self.ledger.has_ended(id) {
                fault("too_late", format!("job {id} has ended already"))
            } else {
                fault("unknown_job", format!("job {id} is not known"))
            });
        };
        let noted = off_thread(move || journal.note(sequence, &Note::Cancelled)).await;
        noted.map_err(|error| self.undurable(&error, 0))?;
        log::info!("job {id} is cancelled");
        if let Some(job) = self.current.as_ref().filter(|job| job.id() == id) {
            job.halt.cancel();
        } else if let Some(index) = self.queue.iter().position(|job| job.id() == id)
            && let Some(job) = self.queue.remove(index)
        {
            self.end(&job, Err(cancelled(id)));
        }
        Ok(())
    }

    /// Reads the configuration file again, as SIGHUP does.
    async fn reload_file(&mut self) -> Result<Reloaded, Fault> {
        let Some(file) = self.config_file.clone() else {
            let message = "the daemon was started without a configuration file".to_owned();
            return Err(fault("no_config", message));
        };
        match off_thread(move || Config::read(&file)).await {
            Ok(config) => self.reload(config),
            Err(error) => {
                log::error!("configuration kept as it was: {error}");
                Err(fault("bad_config", error.to_string()))
            }
        }
    }

    /// Takes over what can change while running, all of it or, when token or
    /// certificate cannot be used, nothing.
    pub(super) fn reload(&mut self, config: Config) -> Result<Reloaded, Fault> {
        if let Err(error) = self.renew_keys(&config) {
            log::error!("configuration kept as it was: http: {error:#}");
            return Err(fault("bad_config", format!("http: {error:#}")));
        }
        // Debug text compares what has no equality of its own.
        let fixed = |config: &Config| {
            let sensors = (&config.thermal.hot_celsius, &config.thermal.sysfs_dir);
            [
                ("device_id", format!("{:?}", config.device_id)),
                ("broker", format!("{:?}", config.broker)),
                ("http", format!("{:?}", config.http)),
                ("trigger", format!("{:?}", config.trigger)),
                ("thermal", format!("{sensors:?}")),
                ("model", format!("{:?}", config.model_file)),
                ("inference", format!("{:?}", config.inference)),
                ("clips_dir", format!("{:?}", config.clips_dir)),
                ("journal.dir", format!("{:?}", config.journal_dir)),
                ("fleet", format!("{:?}", config.fleet_group)),
                ("homeassistant", format!("{:?}", config.home_assistant)),
            ]
        };
        let waits_for_restart: Vec<String> = fixed(&self.config)
            .into_iter()
            .zip(fixed(&config))
            .filter(|(now, then)| now != then)
            .map(|((name, _), _)| name.to_owned())
            .collect();
        if !waits_for_restart.is_empty() {
            let names = waits_for_restart.join(", ");
            log::warn!("configuration: {names} changed, which a restart alone takes over");
        }
        self.config.look = config.look;
        self.config.shape = config.shape;
        self.config.photo_limits = config.photo_limits;
        self.config.queue_length_max = config.queue_length_max;
        self.config.inline_bytes_max = config.inline_bytes_max;
        if self.config.camera != config.camera {
            self.camera = Lookout::new(&config.camera);
        }
        self.config.camera = config.camera;
        self.config.observation = config.observation;
        self.config.journal = config.journal;
        self.store.set_limits(config.store);
        self.config.threads = config.threads;
        self.config.url = config.url;
        self.pacing.pause_is(config.thermal.pause);
        log::info!("configuration read again");
        self.show_info();
        Ok(Reloaded { waits_for_restart })
    }

    fn renew_keys(&self, config: &Config) -> anyhow::Result<()> {
        if let (Some(renewal), Some(http)) = (&self.renewal, &config.http) {
            renewal.renew(http.token()?.as_deref())?;
        }
        Ok(())
    }
}
